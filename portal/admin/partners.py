"""Partners: the firm, the people who work there, and the emergency stop of its API."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from portal import clock
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import KeptAdmin, Lines, OpsAdmin
from portal.admin.finding import by_code, by_part
from portal.api import firms, leaving, partners
from portal.errors import Failure
from portal.models import Euin, Partner, PartnerMember, User

RIGHT = "portal.change_partner"


class PersonForm(ReasonForm):
    """Whom, by the address with which they sign in."""

    email = forms.EmailField(label="E-mail address of their login", widget=UnfoldAdminTextInputWidget)
    field_order = ("email", "reason")


class NoSuchPerson(Failure):
    """Nobody signs in with this address, or they do not work there."""

    code = "no_such_person"
    message = "Nobody with this address fits. They sign up first; staff cannot work at a partner."


def _person(by: By) -> User:
    found = User.objects.filter(email=by.answers["email"].lower(), is_active=True, is_staff=False).first()
    if found is None:
        raise NoSuchPerson
    return found


def _add(partner: Partner, by: By) -> str:
    member = partners.add_member(partner=partner, user=_person(by), actor=by.actor, at=by.at)
    return f"{member.user} works at {partner} from now on and may open the console."


def _end(partner: Partner, by: By) -> str:
    member = PartnerMember.objects.filter(partner=partner, user=_person(by), ended_at=None).first()
    if member is None:
        raise NoSuchPerson
    partners.end_member(member=member, actor=by.actor, reason=by.reason, at=by.at)
    return f"{member.user} no longer works at {partner}: the console is closed to them."


def _close(partner: Partner, by: By) -> str:
    partners.close_api(partner=partner, reason=by.reason, actor=by.actor, at=by.at)
    return f"Every API call of {partner} is refused from now on, and what its machines still asked has ended."


def _open(partner: Partner, by: By) -> str:
    partners.open_api(partner=partner, reason=by.reason, actor=by.actor, at=by.at)
    return f"{partner} may call the API again."


class PeopleOf(Lines):
    """Who works there, and who did."""

    model = PartnerMember
    fields = ("user", "began_at", "ended_at")
    verbose_name_plural = "people"


class PartnerForm(forms.ModelForm):
    """A firm; it works through another one only where the two stay a tree."""

    def clean_head(self) -> Partner | None:
        """Raises ValidationError in the words of `firms.why_not`."""
        head: Partner | None = self.cleaned_data["head"]
        if head and (why := firms.why_not(self.instance, head)):
            raise forms.ValidationError(why)
        return head


@admin.register(Partner)
class PartnerAdmin(KeptAdmin, OpsAdmin):
    """Firms that bring investors."""

    form = PartnerForm
    list_display = ("code", "name", "arn", "arn_until", "is_active")
    ordering = ("name",)
    finders = (by_code("code", "arn"), by_part("name"))
    search_help_text = "Code, ARN or part of the name"
    inlines = (PeopleOf,)
    fields = (
        "code", "name", "arn", "arn_until", "euin", "head", "is_active", "networks", "origins", "calls_per_minute",
        "calls_per_day",
    )  # fmt: skip
    acts = (
        Act(
            "add-person",
            "Add a person",
            RIGHT,
            "This person may open the partner's console and make API keys. They need a login of their own first.",
            _add,
            form=PersonForm,
            icon="person_add",
        ),
        Act(
            "end-person",
            "End a person's work",
            RIGHT,
            "The console is closed to this person. Keys that they made go on working: the partner revokes them.",
            _end,
            offered=lambda partner: partner.members.filter(ended_at=None).exists(),
            form=PersonForm,
            icon="person_remove",
        ),
        Act(
            "close-api",
            "Close the API",
            RIGHT,
            "The emergency stop: every API call of this partner is refused at once. What its machines still ask of "
            "investors ends, requests and invitations. Webhooks, the console and what was asked there go on.",
            _close,
            offered=lambda partner: partner.api_closed_at is None,
            icon="block",
            danger=True,
        ),
        Act(
            "open-api",
            "Open the API",
            RIGHT,
            "The partner may call the API again.",
            _open,
            offered=lambda partner: partner.api_closed_at is not None,
        ),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            actor: Any = request.user
            leaving.firm_stopped(partner=obj, actor=actor, at=clock.now())
            messages.info(request, f"What {obj} still asked of investors has ended: requests, invitations, transfers.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("portal.add_partner")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(RIGHT)


@admin.register(Euin)
class EuinAdmin(KeptAdmin, OpsAdmin):
    """Numbers of employees who may advise, ours and partners', with their days."""

    list_display = ("number", "holder", "partner", "good_from", "good_until")
    list_select_related = ("partner",)
    ordering = ("good_until",)
    finders = (by_code("number"), by_part("holder"))
    search_help_text = "The number, or part of the name"
    fields = ("number", "holder", "partner", "good_from", "good_until")
    raw_id_fields = ("partner",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("portal.add_euin")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("portal.change_euin")
