"""Invitations: who was invited by whom, what was filled in for them, and sending again or withdrawing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from investors import provenance, rules, steps
from investors.models import Investor, Invite
from investors.operations import invites
from portal import clock, euins, identifiers, redaction
from portal.admin import show
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.filters import RadioFilter
from portal.admin.finding import by_code, by_part
from portal.errors import InvalidInput
from portal.models import Partner


def _ruled(label: str, rule: Callable[[str], Any], help_text: str = "") -> forms.CharField:
    """A text that may stay empty, cleaned as the investor's own form cleans it."""

    class Ruled(forms.CharField):
        def clean(self, value: Any) -> Any:
            text = super().clean(value)
            try:
                return rule(text) if text else ""
            except ValueError as error:
                raise ValidationError(str(error)) from None

    return Ruled(label=label, required=False, help_text=help_text, widget=UnfoldAdminTextInputWidget)


class InviteForm(forms.ModelForm):
    """Whom, for whom, why, and what is known already. Everything below the reason may stay empty."""

    pan = _ruled("PAN", identifiers.clean_individual_pan)
    mobile = _ruled("Mobile", identifiers.clean_mobile)
    date_of_birth = forms.DateField(label="Date of birth", required=False, widget=UnfoldAdminSingleDateWidget)
    occupation = forms.ChoiceField(
        required=False, choices=[("", "Not known"), *Investor.Occupation.choices], widget=UnfoldAdminSelectWidget
    )
    line1 = _ruled("Flat, house, building", rules.clean_line)
    line2 = _ruled("Street, area", rules.clean_line)
    pincode = _ruled("PIN code", identifiers.clean_pin)

    class Meta:
        model = Invite
        fields = ("email", "name", "partner", "euin", "basis")
        widgets: ClassVar[dict[str, Any]] = {
            "email": UnfoldAdminTextInputWidget,
            "name": UnfoldAdminTextInputWidget,
            "partner": UnfoldAdminSelectWidget,
            "euin": UnfoldAdminTextInputWidget,
            "basis": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "basis" not in self.fields:
            return  # the page of an invitation that exists has nothing to fill in
        self.fields["basis"].required = True
        self.fields["basis"].help_text = "When and how they agreed that we write to them. Kept as evidence."
        self.fields["euin"].help_text = "Like E123456; empty when nobody advised."
        self.fields["partner"].queryset = Partner.objects.filter(is_active=True)  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        """As the investor's own form takes it."""
        name = self.cleaned_data["name"]
        try:
            return rules.clean_name(name) if name else ""
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def clean_euin(self) -> str:
        """AMFI's form of it, and one that is good today."""
        try:
            euin = identifiers.clean_euin(self.cleaned_data["euin"]) if self.cleaned_data["euin"] else ""
            euins.refuse_bad(euin, clock.today())
        except (ValueError, InvalidInput) as error:
            raise ValidationError(str(error)) from None
        return euin

    def clean(self) -> dict[str, Any]:
        """One open invitation for an address and partner."""
        data = super().clean() or {}
        same = Invite.objects.filter(
            email=data.get("email", "").lower(), partner=data.get("partner"), used_at=None, revoked_at=None
        )
        if data.get("email") and same.exists():
            raise ValidationError(invites.AlreadyInvited.message)
        if invites.is_enough(email=data.get("email", ""), partner=data.get("partner"), at=clock.now()):
            raise ValidationError(invites.TooManyMessages.message)
        return data

    def filled(self) -> dict[str, dict[str, str]]:
        """What is known, by step, in the texts that the investor's forms begin with."""
        by_step = {
            steps.PAN: ("pan",),
            steps.PERSONAL: ("name", "mobile", "date_of_birth", "occupation"),
            steps.ADDRESS: ("line1", "line2", "pincode"),
        }
        texts = {
            slug: {name: text for name in names if (text := provenance.as_text(self.cleaned_data.get(name)))}
            for slug, names in by_step.items()
        }
        return {slug: each for slug, each in texts.items() if each}


def _resend(row: Invite, by: By) -> str:
    sent = invites.resend(invite_id=row.pk, actor=by.actor, reason=by.reason, at=by.at, was=row.expires_at)
    return "A new link is on its way." if sent.sent == Invite.Sent.YES else "The mail server did not take it."


def _revoke(row: Invite, by: By) -> str:
    invites.revoke(invite_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "The link no longer works."


class OpenFilter(RadioFilter):
    """Invitations by what has become of them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("used", "Accepted"), ("revoked", "Withdrawn")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invite]) -> QuerySet[Invite]:
        conditions: dict[str, dict[str, Any]] = {
            "open": {"used_at": None, "revoked_at": None},
            "used": {"used_at__isnull": False},
            "revoked": {"revoked_at__isnull": False},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


@admin.register(Invite)
class InviteAdmin(OpsAdmin):
    """Invitations. The link itself is in the message and nowhere else."""

    form = InviteForm
    list_display = ("code", "person", "state_badge", "by", "partner", "expires", "sent_words")
    list_filter = (OpenFilter,)
    list_select_related = ("invited_by", "partner", "investor")
    ordering = ("-id",)
    finders = (by_code("code"), by_part("name"))
    search_help_text = "Code, or part of the name"
    quick = (("Open", "state=open"), ("Accepted", "state=used"), ("Withdrawn", "state=revoked"), ("All", ""))
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("person", "investor"), ("by", "partner"), ("euin", "basis"))}),
        ("Sent", {"fields": (("sent_words", "expires"), "filled_words")}),
        ("Accepted", {"fields": (("used", "agreed_ip"), "agreed")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "partner", "euin", "basis")}),
        (
            "Known already, for them to look over",
            {"fields": ("pan", "mobile", "date_of_birth", "occupation", "line1", "line2", "pincode")},
        ),
    )
    acts = (
        Act(
            name="resend",
            label="Send again",
            permission="investors.act_invite",
            explain="A new link is sent and lives for seven days. The earlier link no longer works.",
            run=_resend,
            offered=lambda row: invites.is_open(row) and row.times_sent < invites.MOST_MESSAGES,
            icon="forward_to_inbox",
        ),
        Act(
            name="revoke",
            label="Withdraw",
            permission="investors.act_invite",
            explain="The link no longer works. Whoever follows it reads that it cannot be used, and nothing else.",
            run=_revoke,
            offered=invites.is_open,
            icon="block",
            danger=True,
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("investors.add_invite")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return super().get_readonly_fields(request, obj) if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invite]:
        return super().get_queryset(request).defer("investor__pan", "investor__guardian_pan")

    def save_model(self, request: HttpRequest, obj: Invite, form: Any, change: bool) -> None:
        """Only ever an addition."""
        made = invites.invite(
            email=obj.email,
            name=obj.name,
            filled=form.filled(),
            partner=obj.partner,
            euin=obj.euin,
            basis=obj.basis,
            actor=request.user,  # type: ignore[arg-type]
            at=clock.now(),
        )
        obj.pk, obj.code = made.pk, made.code

    @display(description="Invited")
    def person(self, row: Invite) -> str:
        return show.two(row.name or show.NOTHING, redaction.mask_email(row.email))

    @display(description="State")
    def state_badge(self, row: Invite) -> str:
        if row.used_at:
            return show.badge("done", "accepted")
        if row.revoked_at:
            return show.badge("neutral", "withdrawn")
        if row.expires_at <= clock.now():
            return show.badge("failed", "run out")
        return show.badge("waiting", "invited")

    @display(description="By")
    def by(self, row: Invite) -> str:
        return str(row.invited_by or row.partner)

    @display(description="Until", ordering="expires_at")
    def expires(self, row: Invite) -> str:
        return show.moment(row.expires_at)

    @display(description="Accepted")
    def used(self, row: Invite) -> str:
        return show.moment(row.used_at)

    @display(description="Message")
    def sent_words(self, row: Invite) -> str:
        times = f", {row.times_sent} times" if row.times_sent > 1 else ""
        return f"{row.get_sent_display()}{times} {show.moment(row.sent_at)}"

    @display(description="Filled in")
    def filled_words(self, row: Invite) -> str:
        names = [
            provenance.words_of(f"{slug}.{name}") for slug, texts in provenance.filled_of(row).items() for name in texts
        ]
        return ", ".join(names) or show.NOTHING
