"""People who sign in, their roles and second factors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from portal import audit, clock, role_changes, roles
from portal.admin import show
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import OpsAdmin, replace
from portal.admin.finding import by_email, by_part
from portal.models import User
from portal.sessions import SessionStore

ROLES = (*roles.GRANTS, roles.EVERY_RIGHT)


class RoleForm(ReasonForm):
    """Which role, and why."""

    role = forms.ChoiceField(choices=[(name, name) for name in ROLES], widget=UnfoldAdminSelectWidget)
    field_order = ("role", "reason")


def _ask(give: bool) -> Callable[[User, By], str]:
    def ask(user: User, by: By) -> str:
        role = by.answers["role"]
        role_changes.ask(user=user, role=role, give=give, actor=by.actor, reason=by.reason, at=by.at)
        return "Another administrator has to approve this. Nothing has changed yet."

    return ask


def _switch(user: User, by: By) -> str:
    active = not user.is_active
    roles.set_active(user=user, active=active, actor=by.actor, reason=by.reason, at=by.at)
    return f"{user} may sign in again." if active else f"{user} can no longer sign in."


class NewUserForm(forms.ModelForm):
    """A person by name and address. They sign in with a code by email and set a password themselves."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")
        widgets = dict.fromkeys(fields, UnfoldAdminTextInputWidget)


@admin.register(User)
class UserAdmin(OpsAdmin):
    """Who may sign in, and as what. Roles change through acts, each with a reason."""

    form = NewUserForm
    list_display = ("email", "full_name", "role_badges", "may_sign_in", "last_seen", "joined")
    list_filter = (("is_staff", BooleanRadioFilter), ("is_active", BooleanRadioFilter))
    ordering = ("-id",)
    finders = (by_email("pk"), by_part("last_name"))
    search_help_text = "Whole email address, or part of a surname"
    quick = (("Staff", "is_staff__exact=1"), ("Switched off", "is_active__exact=0"), ("Everybody", ""))
    fieldsets = ((None, {"fields": (("email", "full_name"), ("role_badges", "may_sign_in"), ("joined", "last_seen"))}),)
    add_fieldsets = ((None, {"fields": ("email", "first_name", "last_name")}),)
    acts = (
        Act(
            name="give-role",
            label="Give a role",
            permission="portal.act_user",
            explain="When another administrator has approved, the person may do what the role allows.",
            run=_ask(give=True),
            form=RoleForm,
            icon="person_add",
        ),
        Act(
            name="take-role",
            label="Take a role",
            permission="portal.act_user",
            explain="When another administrator has approved, the person can no longer do what the role allows. If it "
            "is urgent, switch the person off.",
            run=_ask(give=False),
            form=RoleForm,
            icon="person_remove",
        ),
        Act(
            name="switch-off",
            label="Switch off",
            permission="portal.act_user",
            explain="The person can no longer sign in. Orders, payments and evidence stay.",
            run=_switch,
            offered=lambda user: user.is_active,
            icon="block",
            danger=True,
        ),
        Act(
            name="switch-on",
            label="Switch on",
            permission="portal.act_user",
            explain="The person may sign in again.",
            run=_switch,
            offered=lambda user: not user.is_active,
            icon="check_circle",
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("portal.add_user")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return super().get_readonly_fields(request, obj) if obj else []

    def whose(self, obj: Model) -> Model:
        return obj

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Only ever an addition: there is no page to change a person."""
        actor: Any = request.user
        obj.set_unusable_password()
        obj.save()
        audit.record(obj, "user.added", actor=actor, at=clock.now())

    @display(description="Name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or show.NOTHING

    @display(description="Roles")
    def role_badges(self, user: User) -> str:
        return ", ".join(roles.held(user)) or show.NOTHING

    @display(description="May sign in", ordering="is_active")
    def may_sign_in(self, user: User) -> str:
        return show.badge("done", "yes") if user.is_active else show.badge("failed", "switched off")

    @display(description="Last signed in", ordering="last_login")
    def last_seen(self, user: User) -> str:
        return show.moment(user.last_login)

    @display(description="Since", ordering="id")
    def joined(self, user: User) -> str:
        return show.moment(user.date_joined)


class GroupAdmin(OpsAdmin):
    """The roles as the database holds them. The table that rules them is `portal/roles.py`."""

    list_display = ("name",)
    ordering = ("name",)
    fieldsets = ((None, {"fields": ("name", "rights")}),)

    @display(description="May")
    @show.once
    def rights(self, group: Group) -> str:
        return ", ".join(sorted(f"{p.content_type.app_label}.{p.codename}" for p in self._rights(group)))

    def _rights(self, group: Group) -> QuerySet[Any]:
        return group.permissions.select_related("content_type")


class EmailAddressAdmin(OpsAdmin):
    """Addresses and whether they were verified."""

    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    ordering = ("-id",)
    finders = (by_email("user"),)
    search_help_text = "Whole email address"
    fieldsets = ((None, {"fields": ("email", "user", "primary", "verified")}),)


class AuthenticatorAdmin(OpsAdmin):
    """Second factors: that they exist, never their secrets."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    ordering = ("-id",)
    finders = (by_email("user"),)
    search_help_text = "Whole email address"
    fieldsets = ((None, {"fields": ("user", "type", "created_at", "last_used_at")}),)


def _sign_out(session: UserSession, by: By) -> str:
    with transaction.atomic():
        audit.record(session.user, "user.signed_out", actor=by.actor, at=by.at, reason=by.reason, ip=session.ip)
        SessionStore().delete(session.session_key)
        session.delete()
    return f"{session.user} is signed out there."


class UserSessionAdmin(OpsAdmin):
    """Where people are signed in, without the keys of their sessions."""

    list_display = ("user", "created_at", "last_seen_at", "ip", "browser")
    list_filter = (("user__is_staff", BooleanRadioFilter),)
    list_select_related = ("user",)
    quick = (("Staff", "user__is_staff__exact=1"), ("Everybody", ""))
    acts = (
        Act(
            name="sign-out",
            label="Sign out",
            permission="portal.act_user",
            explain="This session ends at its next request. The person may sign in again; to stop that, switch them "
            "off.",
            run=_sign_out,
            icon="logout",
            danger=True,
        ),
    )
    ordering = ("-id",)
    finders = (by_email("user"),)
    search_help_text = "Whole email address"
    fieldsets = ((None, {"fields": ("user", "created_at", "last_seen_at", "ip", "user_agent")}),)

    def whose(self, obj: Model) -> Model | None:
        return getattr(obj, "user", None)

    @display(description="Browser")
    def browser(self, session: UserSession) -> str:
        return show.cut(session.user_agent)


replace(Group, GroupAdmin)
replace(EmailAddress, EmailAddressAdmin)
replace(Authenticator, AuthenticatorAdmin)
replace(UserSession, UserSessionAdmin)
