"""Addresses of the privacy pages; part of `investors/urls.py`."""

from django.urls import path

from investors.views import privacy

urlpatterns = [
    path("", privacy.home, name="privacy"),
    path("consents/", privacy.consent_list, name="consents"),
    path("consents/<slug:code>/", privacy.consent, name="consent"),
    path("copy/", privacy.export, name="privacy_export"),
    path("copy/<str:token>/", privacy.copy, name="privacy_copy"),
    path("erase/", privacy.erase, name="privacy_erase"),
    path("erase/<slug:code>/stay/", privacy.stay, name="privacy_stay"),
    path("confirm/<slug:code>/", privacy.confirm, name="privacy_confirm"),
]
