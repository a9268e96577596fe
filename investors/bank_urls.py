"""Addresses of bank accounts; part of `investors/urls.py`."""

from django.urls import path

from investors.views import banks

urlpatterns = [
    path("banks/", banks.banks, name="banks"),
    path("banks/add/", banks.add, name="bank_add"),
    path("banks/confirm/<slug:code>/", banks.confirm, name="bank_confirm"),
    path("banks/<slug:code>/cheque/", banks.cheque, name="bank_cheque"),
    path("banks/<slug:code>/main/", banks.make_primary, name="bank_primary"),
    path("banks/<slug:code>/close/", banks.close, name="bank_close"),
    path("banks/changes/<slug:code>/withdraw/", banks.withdraw, name="bank_withdraw"),
]
