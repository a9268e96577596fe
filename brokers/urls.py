"""Addresses of buying shares through one's own broker."""

from django.urls import path

from brokers.views import accounts, books, choosing, embed, journeys, moving, single, tickets, webhooks

app_name = "brokers"
urlpatterns = [
    path("baskets/<slug:slug>/invest/", choosing.invest, name="invest"),
    path("baskets/<slug:slug>/rebalance/", moving.rebalance, name="rebalance"),
    path("baskets/<slug:slug>/sell/", moving.leave, name="leave"),
    path("shares/<slug:isin>/buy/", single.buy, name="buy"),
    path("shares/<slug:isin>/sell/", single.sell, name="sell"),
    path("shares/<slug:isin>/ticket/", tickets.ticket, name="ticket"),
    path("stock-orders/", journeys.order_list, name="orders"),
    path("stock-orders/<slug:code>/", journeys.order, name="order"),
    path("stock-orders/<slug:code>/go/", journeys.go, name="go"),
    path("stock-orders/<slug:code>/window/", journeys.window, name="window"),
    path("stock-orders/<slug:code>/again/", journeys.again, name="again"),
    path("stock-orders/<slug:code>/back/", journeys.back, name="back"),
    path("stock-orders/<slug:code>/says/", journeys.says, name="says"),
    path("stock-orders/<slug:code>/proof/", journeys.proof, name="proof"),
    path("stock-orders/<slug:code>/repair/", moving.repair, name="repair"),
    path("stock-orders/<slug:code>/leave-it/", moving.leave_it, name="leave_it"),
    path("share-orders/<slug:code>/", tickets.change, name="change"),
    path("broker-accounts/", accounts.account_list, name="accounts"),
    path("broker-accounts/log-in/", accounts.log_in, name="log_in"),
    path("broker-accounts/<slug:code>/holdings/", books.holdings, name="holdings"),
    path("broker-accounts/<slug:code>/positions/", books.positions, name="positions"),
    path("broker-accounts/<slug:code>/order-book/", books.order_book, name="order_book"),
    path("broker-accounts/<slug:code>/unlink/", accounts.unlink, name="unlink"),
    path("broker-accounts/back/<slug:broker>/<slug:name>/", accounts.landed, name="landed"),
    # Registered with each broker by hand; the address says which, because the way back may not.
    path("<slug:broker>/callback/", accounts.callback, name="callback"),
    path("odin/two-way-auth/", webhooks.odin_two_way, name="odin_two_way"),
    path("embed/invest.js", embed.script, name="embed_script"),
    path("embed/invest/", embed.frame, name="embed_frame"),
    path("embed/go/", embed.go, name="go_embedded"),
]
