"""The door of operations: a page of its own in the clothes of the admin, behind it the house's own way of signing in.

What happens to what was typed (limits, second factor, what strangers may learn) is allauth's, as on the other page.
"""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.widgets import INPUT_CLASSES

from portal.sign_in_forms import LogIn


class StaffLogIn(LogIn):
    """Email and password, drawn as the admin draws its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = " ".join(INPUT_CLASSES)
            field.widget.attrs.pop("placeholder", None)
        self.fields["login"].label = "Email"


class StaffLoginView(LoginView):
    """Email and password; the second factor is asked for behind it."""

    template_name = "admin/sign_in.html"

    def get_form_class(self) -> type[StaffLogIn]:
        return StaffLogIn

    def get_default_success_url(self) -> str:
        """Where whoever came without a page in mind goes."""
        return reverse("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs), "title": "Log in"}


_door = StaffLoginView.as_view()


def sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """In place of Django's. Whoever is signed in and no member of staff reads that, and is sent nowhere."""
    if not request.user.is_authenticated:
        return _door(request)
    if not request.user.is_staff:
        raise PermissionDenied
    return redirect("admin:index")
