"""Allauth's forms in our words: each field says what to enter, and signing up is recorded as a yes to the terms."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from allauth.account import forms as theirs
from allauth.account.internal.flows import signup
from django.core.validators import EmailValidator, MaxLengthValidator
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from portal import audit, clock, strangers, terms
from portal.models import User

PASSWORD_HELP = "Choose at least ten characters; a few unrelated words are easy to remember and hard to guess."  # noqa: S105
NO_EMAIL = "This is no email address that we can write to. It looks like asha@example.in."
# Allauth would cut a longer one off and keep an address that is nobody's.
LONGEST_EMAIL = 254
# Field -> what is said when nothing was entered.
MISSING = {
    "email": "Enter your email address.",
    "login": "Enter your email address.",
    "password": "Enter your password.",
    "oldpassword": "Enter the password that you have now.",
    "password1": "Choose a password of at least ten characters.",
    "password2": "Type the new password a second time.",
    "code": "Enter the code from our email.",
}


class InOurWords:
    """Beside one of allauth's forms: our words for empty fields, and one sentence about a good password."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in MISSING.items():
            if name in self.fields:
                self.fields[name].error_messages["required"] = words
        if "email" in self.fields:
            self.fields["email"].validators = [EmailValidator(NO_EMAIL), MaxLengthValidator(LONGEST_EMAIL, NO_EMAIL)]
        if "password1" in self.fields:
            self.fields["password1"].help_text = PASSWORD_HELP


class SignUp(InOurWords, theirs.SignupForm):
    """A new login. Its owner has agreed to the terms in force."""

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """A new account; or, for an address that has one, as much work, a note of it, and the same answer."""
        email, exists = self.cleaned_data["email"], self.account_already_exists
        with transaction.atomic():
            user = strangers.make_account(lambda: self._save_as(request, email, exists), really=not exists)
            subject = strangers.users_by_email(email)[0]
            action = "user.signed_up_again" if exists else "user.agreed_to_terms"
            audit.record(subject, action, actor=subject, at=clock.now(), terms_of=terms.IN_FORCE_SINCE)
        if not exists:
            return user, None
        strangers.follow_up()
        return None, signup.prevent_enumeration(request, email=email)

    def _save_as(self, request: HttpRequest, email: str, exists: bool) -> User:
        """Saved under the address, or under one that nobody can have."""
        self.account_already_exists = False
        self.cleaned_data["email"] = f"{token_hex(8)}@nobody.invalid" if exists else email
        try:
            user: User = super().save(request)
        finally:
            self.cleaned_data["email"], self.account_already_exists = email, exists
        return user


class LogIn(InOurWords, theirs.LoginForm):
    """Email and password."""


class RequestLoginCode(InOurWords, theirs.RequestLoginCodeForm):
    """Email, to be sent a code."""


class ConfirmLoginCode(InOurWords, theirs.ConfirmLoginCodeForm):
    """The code of a login."""


class ConfirmEmailCode(InOurWords, theirs.ConfirmEmailVerificationCodeForm):
    """The code that confirms an email address."""


class ConfirmResetCode(InOurWords, theirs.ConfirmPasswordResetCodeForm):
    """The code that lets somebody choose a new password."""


class ResetPassword(InOurWords, theirs.ResetPasswordForm):
    """Email, when the password is forgotten."""


class NewPassword(InOurWords, theirs.ResetPasswordKeyForm):
    """A new password after a reset."""


class ChangePassword(InOurWords, theirs.ChangePasswordForm):
    """The old and a new password."""


class SetPassword(InOurWords, theirs.SetPasswordForm):
    """The first password of a login without one."""


class Reauthenticate(InOurWords, theirs.ReauthenticateForm):
    """The password once more, before something that matters."""


class AddEmail(InOurWords, theirs.AddEmailForm):
    """Another email address."""
