"""Addresses of onboarding and the profile."""

from django.urls import URLPattern

app_name = "investors"
urlpatterns: list[URLPattern] = []
