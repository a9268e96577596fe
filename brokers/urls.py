"""Addresses of buying shares through one's own broker, and of the doorbells of brokers."""

from django.urls import path

from brokers.views import choosing, journeys, webhooks

app_name = "brokers"
urlpatterns = [
    path("baskets/<slug:slug>/invest/", choosing.invest, name="invest"),
    path("baskets/<slug:slug>/rebalance/", choosing.rebalance, name="rebalance"),
    path("baskets/<slug:slug>/sell/", choosing.leave, name="leave"),
    path("stock-orders/", journeys.order_list, name="orders"),
    path("stock-orders/<slug:code>/", journeys.order, name="order"),
    path("stock-orders/<slug:code>/go/", journeys.go, name="go"),
    path("stock-orders/<slug:code>/window/", journeys.window, name="window"),
    path("stock-orders/<slug:code>/again/", journeys.again, name="again"),
    path("stock-orders/<slug:code>/back/", journeys.back, name="back"),
    path("stock-orders/<slug:code>/says/", journeys.says, name="says"),
    path("stock-orders/<slug:code>/repair/", choosing.repair, name="repair"),
    path("webhooks/smallcase/", webhooks.smallcase, name="smallcase_webhook"),
]
