"""Getting ready: every step is saved as it is made, and confirming all of them starts the registration.

What may be changed when: see `queries.may_change`. Each save locks the investor first, so that two tabs
cannot mix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from investors import bank_rules, gateway, lifecycle, provenance, queries, refusals, steps
from investors import declarations as declared
from investors.models import Address, BankAccount, Investor, Nominee, TaxResidence
from investors.operations import doubles
from portal import audit, jobs
from portal.errors import Failure, InvalidInput
from portal.models import User

Values = Mapping[str, Any]
# A form filled in hastily and the sweep of claim_due both look at this.
LOOK_AGAIN_S = 60.0


class NotEditable(Failure):
    """Raised when a step is saved that can no longer be changed here."""

    code = "not_editable"
    message = "This can no longer be changed here, because your registration is under way or finished."


class Incomplete(Failure):
    """Raised when an application is confirmed while something is missing."""

    code = "incomplete"
    message = "Something is still missing. The list shows what; nothing you entered is lost."


class NotDeclared(Failure):
    """Raised when a declaration was not ticked."""

    code = "not_declared"
    message = "Please read and tick every declaration."


def begin(*, user: User, at: datetime) -> Investor:
    """The person who signed in has an application of their own; a second call returns the same one."""
    with transaction.atomic():
        own = Investor.objects.exclude(kind=Investor.Kind.MINOR)
        investor, made = own.get_or_create(user=user, defaults={"mobile": user.mobile})
        if made:
            audit.record(investor, "investor.began", actor=user, at=at)
    return investor


def locked(investor_id: int) -> Investor:
    """The row, locked until the end of the caller's transaction."""
    return Investor.objects.select_for_update(of=("self",)).select_related("user").get(pk=investor_id)


def save_step(*, investor: Investor, slug: str, values: Values, actor: User | str, at: datetime) -> Investor:
    """The step holds these values, and what FP complained about in it is answered.

    City, state, bank and branch are looked up at FP before anything is locked. Raises NotEditable,
    InvalidInput for a PIN code or IFSC that does not exist, gateway.LookUpDown.
    """
    values = _PREPARE.get(slug, dict)(values)
    with transaction.atomic():
        row = locked(investor.pk)
        if not queries.may_change(row, slug):
            raise NotEditable
        _SAVE[slug](row, values)
        correct(row, slug)
        row.save()
        provenance.note(row, slug, values, actor=actor, at=at)
        audit.record(row, f"onboarding.{slug}", actor=actor, at=at)
    return row


def correct(row: Investor, slug: str) -> None:
    """What FP refused of this step is answered; FP hears of it first where it has the application already."""
    row.refusal = refusals.without(row.refusal, slug)
    row.provider_is_behind = row.provider_ref is not None


def confirm(
    *,
    investor: Investor,
    agreed: set[str],
    texts: tuple[declared.Declaration, ...],
    ip: str | None,
    actor: User,
    at: datetime,
) -> Investor:
    """The investor has declared everything and is being registered. Confirming twice changes nothing.

    Raises Incomplete, NotDeclared.
    """
    with transaction.atomic():
        row = locked(investor.pk)
        if not may_confirm(row):
            return row
        if not queries.is_complete(queries.profile(row)):
            raise Incomplete
        if not {each.slug for each in texts} <= agreed:
            raise NotDeclared
        if row.state == lifecycle.DRAFT:
            move_to(row, lifecycle.REGISTERING, at=at)
        row.refusal, row.due_at, row.confirmed_from = [], at, ip
        row.save()
        audit.record(
            row,
            "investor.confirmed",
            actor=actor,
            at=at,
            ip=ip,
            worded_on=declared.WORDED_ON,
            declarations={each.slug: each.text for each in texts},
        )
        doubles.report(row, at)
        jobs.nudge("investors.advance", row_id=row.pk)
    return row


def may_confirm(investor: Investor) -> bool:
    """Is there something to confirm: a draft, or an application that was refused and corrected?"""
    if investor.state == lifecycle.DRAFT:
        return True
    waiting = investor.state == lifecycle.REGISTERING and not investor.attempt and investor.due_at is None
    return waiting and not refusals.has_nowhere(investor.refusal)


def move_to(investor: Investor, state: str, *, at: datetime) -> None:
    """Take one listed step of the lifecycle on a locked row; the caller saves."""
    if not lifecycle.REGISTRATION.allows(investor.state, state):
        raise ValueError(f"{investor.state} does not lead to {state}")
    investor.state, investor.state_since = state, at


# --- what each step writes ------------------------------------------------------------------------------------


def _columns(*names: str) -> Callable[[Investor, Values], None]:
    def save(investor: Investor, values: Values) -> None:
        for name in names:
            if name in values:
                setattr(investor, name, values[name])

    return save


INDIAN_FIELDS = {Address.Kind.CORRESPONDENCE.value: "pincode", Address.Kind.PERMANENT.value: "p_pincode"}


def with_places(values: Values) -> dict[str, Any]:
    """Kind of address -> its columns; those in India with the place that belongs to the PIN code.

    Raises InvalidInput at the PIN code's field, gateway.LookUpDown.
    """
    return {kind: _with_place(columns, INDIAN_FIELDS.get(kind, "")) for kind, columns in values.items()}


def _with_place(columns: Values | None, field: str) -> Values | None:
    if columns is None or columns.get("country", "IN") != "IN":
        return columns
    try:
        place = gateway.find_place(columns["pincode"])
    except InvalidInput as wrong:
        raise InvalidInput(field, wrong.message) from None
    return {**columns, "city": place.city[:60], "state": place.state[:60], "country": "IN"}


def save_addresses(investor: Investor, values: Values) -> None:
    """The addresses are these; one that there is no more is gone."""
    for kind in Address.Kind.values:
        if columns := values.get(kind):
            Address.objects.update_or_create(investor=investor, kind=kind, defaults=dict(columns))
        else:
            Address.objects.filter(investor=investor, kind=kind).delete()


def _save_fatca(investor: Investor, values: Values) -> None:
    _columns(
        "country_of_birth",
        "source_of_wealth",
        "gross_annual_income",
        "is_politically_exposed",
        "is_related_to_politically_exposed",
    )(investor, values)
    save_tax(investor, values)


def save_tax(investor: Investor, values: Values) -> None:
    """Tax is paid in these countries; the caller saves the investor."""
    _columns("tax_resident_only_in_india")(investor, values)
    TaxResidence.objects.filter(investor=investor).delete()
    named = enumerate(values.get("residences", ()), start=1)
    TaxResidence.objects.bulk_create(TaxResidence(investor=investor, position=n, **each) for n, each in named)


def _save_nominees(investor: Investor, values: Values) -> None:
    Nominee.objects.filter(investor=investor).delete()
    investor.nomination_opted_out = bool(values["opted_out"])
    if not investor.nomination_opted_out:
        people = enumerate(values["nominees"], start=1)
        Nominee.objects.bulk_create(Nominee(investor=investor, position=n, **person) for n, person in people)


def _with_branch(values: Values) -> Values:
    branch = gateway.find_branch(values["ifsc"])
    return {**values, "bank_name": branch.bank[:120], "branch_name": branch.branch[:120]}


def _save_bank(investor: Investor, values: Values) -> None:
    try:
        bank_rules.check_kind(investor, values["kind"])
    except ValueError as wrong:
        raise InvalidInput("kind", str(wrong)) from None
    account = BankAccount.objects.filter(investor=investor, is_primary=True).first()
    account = account or BankAccount(investor=investor, is_primary=True)
    if values.get("number"):
        account.set_number(values["number"])
    if not account.number:
        raise InvalidInput("number", "Enter the account number.")
    for name in ("holder_name", "kind", "ifsc", "bank_name", "branch_name"):
        setattr(account, name, values[name])
    account.save()


_PERSONAL = _columns(
    "kind",
    "name",
    "date_of_birth",
    "gender",
    "marital_status",
    "occupation",
    "isd_code",
    "mobile",
    "mobile_is_of",
    "email_is_of",
    "country_of_citizenship",
    "father_or_spouse_name",
    "father_or_spouse_is",
    "mothers_name",
    "office_phone",
    "residence_phone",
)


def _save_personal(investor: Investor, values: Values) -> None:
    """A minor stays one and is reached through the guardian: where somebody lives is asked of grown-ups."""
    _PERSONAL(investor, values)
    if investor.is_minor:
        investor.kind, investor.marital_status = Investor.Kind.MINOR, Investor.MaritalStatus.SINGLE
        investor.mobile_is_of = investor.email_is_of = Investor.Whose.GUARDIAN


_SAVE: dict[str, Callable[[Investor, Values], None]] = {
    steps.PERSONAL: _save_personal,
    steps.GUARDIAN: _columns("guardian_name", "guardian_date_of_birth", "guardian_relationship"),
    steps.FATCA: _save_fatca,
    steps.ADDRESS: save_addresses,
    steps.NOMINEES: _save_nominees,
    steps.BANK: _save_bank,
}
_PREPARE: dict[str, Callable[[Values], Values]] = {steps.ADDRESS: with_places, steps.BANK: _with_branch}
