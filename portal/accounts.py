"""How allauth behaves here: where people land, and what it may say."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from portal import encryption, sessions
from portal.models import User


class Backend(AuthenticationBackend):
    """Knows people by e-mail address and password, and finds whoever a session names."""

    def get_user(self, user_id: int) -> User | None:
        """The person, whatever scope an earlier request has left on this connection; None for one switched off."""
        user = sessions.at_hand(user_id) or _person(user_id)
        return user if user and self.user_can_authenticate(user) else None


def _person(user_id: int) -> User | None:
    return next(iter(User.objects.raw("SELECT * FROM portal_person(%s)", [user_id])), None)


class AccountAdapter(DefaultAccountAdapter):
    """Staff land in the admin, investors on Home; refusals say what to do."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "This email and this password do not belong together. Try again, or ask for a code.",
        "incorrect_code": "That code does not match. Enter the newest code that we sent you.",
        "incorrect_password": "That is not your password. Try again, or choose a new one.",
        "enter_current_password": "Enter the password that you have now.",
        "too_many_login_attempts": "Too many tries. Wait a few minutes, or let us send you a code.",
        "rate_limited": "Too many tries in a row. Wait a few minutes, then try again.",
    }

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
