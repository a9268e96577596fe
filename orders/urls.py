"""Addresses of funds, orders and the portfolio."""

from django.urls import include, path

from orders.views import (
    approvals,
    baskets,
    carts,
    cases,
    portfolio,
    purchases,
    redemptions,
    schemes,
    shares,
    stock_holdings,
)

app_name = "orders"
urlpatterns = [
    path("funds/", schemes.explore, name="explore"),
    path("funds/<slug:isin>/", schemes.scheme, name="scheme"),
    path("funds/<slug:isin>/buy/", purchases.buy, name="buy"),
    path("cart/", carts.cart, name="cart"),
    path("cart/confirm/<slug:code>/", carts.confirm, name="confirm_cart"),
    path("cart/<slug:code>/", carts.done, name="cart_done"),
    path("", include("orders.plan_urls")),
    path("orders/confirm/<slug:code>/", purchases.confirm, name="confirm"),
    path("orders/confirm-sale/<slug:code>/", redemptions.confirm, name="confirm_sale"),
    path("orders/", purchases.order_list, name="list"),
    path("orders/<slug:code>/", purchases.detail, name="detail"),
    path("orders/<slug:code>/ask/", cases.ask, name="ask"),
    path("cases/", cases.case_list, name="cases"),
    path("cases/<slug:code>/", cases.case, name="case"),
    path("approvals/", approvals.approval_list, name="approvals"),
    path("approvals/<slug:code>/", approvals.approval, name="approval"),
    path("baskets/", baskets.basket_list, name="baskets"),
    path("baskets/logos/<slug:digest>/", baskets.logo, name="basket_logo"),
    path("baskets/<slug:slug>/", baskets.basket, name="basket"),
    path("shares/", shares.search, name="shares"),
    path("shares/<slug:isin>/", shares.share, name="share"),
    path("watchlist/", shares.watched, name="watchlist"),
    path("portfolio/", portfolio.portfolio, name="portfolio"),
    path("portfolio/shares/", stock_holdings.shares, name="held_shares"),
    path("portfolio/<slug:isin>/", portfolio.holding, name="holding"),
    path("portfolio/<slug:isin>/sell/", redemptions.sell, name="sell"),
    path("portfolio/<slug:isin>/sell-instantly/", redemptions.sell_instantly, name="sell_instantly"),
]
