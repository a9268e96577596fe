"""Allauth's forms in our words: each field says what to enter, and signing up is recorded as a yes to the terms."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as theirs
from django.core.validators import EmailValidator, MaxLengthValidator
from django.db import transaction
from django.http import HttpRequest

from portal import audit, clock, terms
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

    def save(self, request: HttpRequest) -> User:
        """The saved user, with the evidence of what was agreed to."""
        with transaction.atomic():
            user: User = super().save(request)
            audit.record(user, "user.agreed_to_terms", actor=user, at=clock.now(), terms_of=terms.IN_FORCE_SINCE)
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
