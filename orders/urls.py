"""Addresses of funds, orders and the portfolio."""

from django.urls import URLPattern

app_name = "orders"
urlpatterns: list[URLPattern] = []
