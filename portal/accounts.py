"""How allauth behaves here: where people land, and what it may say."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from portal import encryption


class AccountAdapter(DefaultAccountAdapter):
    """Staff land in the admin, investors on Home."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index") if request.user.is_staff else reverse("home")


class MfaAdapter(DefaultMFAAdapter):
    """Secrets of second factors are encrypted with the field keys, not kept as they are."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity = super().get_public_key_credential_rp_entity()
        return {**entity, "name": str(settings.BRAND["name"])}
