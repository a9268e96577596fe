"""Addresses of paying."""

from django.urls import path

from payments import views

app_name = "payments"
urlpatterns = [
    path("orders/<slug:code>/pay/", views.pay, name="pay"),
    path("payments/return/<slug:nonce>/", views.payment_return, name="return"),
]
