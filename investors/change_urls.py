"""Addresses of changes of details; part of `investors/urls.py`."""

from django.urls import path

from investors.views import changes

urlpatterns = [
    path("changes/", changes.history, name="changes"),
    path("changes/confirm/<slug:code>/", changes.confirm, name="change_confirm"),
    path("changes/<slug:code>/withdraw/", changes.withdraw, name="change_withdraw"),
    path("change/<slug:slug>/", changes.change, name="change"),
]
