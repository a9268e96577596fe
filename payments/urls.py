"""Addresses of paying."""

from django.urls import path

from payments import views

app_name = "payments"
urlpatterns = [
    path("orders/<slug:code>/pay/", views.pay, name="pay"),
    path("payments/<slug:code>/page/", views.bank_page, name="bank_page"),
    path("payments/<slug:code>/page/frame/", views.bank_frame, name="bank_frame"),
    path("payments/return/<slug:nonce>/", views.payment_return, name="return"),
]
