"""Addresses of SIPs; part of `orders/urls.py`."""

from django.urls import path

from orders.views import plan_changes, plans

urlpatterns = [
    path("funds/<slug:isin>/sip/", plans.start, name="start_sip"),
    path("sips/", plans.sip_list, name="sips"),
    path("sips/mandates/", plan_changes.mandates, name="sip_mandates"),
    path("sips/confirm/<slug:code>/", plans.confirm, name="confirm_sip"),
    path("sips/<slug:code>/", plans.detail, name="sip"),
    path("sips/<slug:code>/skip/", plan_changes.skip, name="skip_sip"),
    path("sips/<slug:code>/end/", plan_changes.cancel, name="cancel_sip"),
]
