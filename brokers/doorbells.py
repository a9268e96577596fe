"""Addresses of the doorbells of brokers: apart from the pages, with all of which a notice would be compared first."""

from django.urls import path

from brokers.views import webhooks

app_name = "doorbells"
urlpatterns = [
    path("odin/", webhooks.odin, name="odin"),
    path("smallcase/", webhooks.smallcase, name="smallcase"),
]
