"""What the investor's page shows of people and what they have authorised."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model
from django.utils.html import format_html

from investors import kyc_reasons, provenance
from investors.admin.panel import MOST, Found, part
from investors.models import (
    Address,
    BankAccount,
    ChangeRequest,
    Consent,
    Document,
    FieldSource,
    Investor,
    Invite,
    KycCheck,
    KycRequest,
    Mandate,
    Nominee,
)
from portal.admin import show
from portal.admin.home import Panel


def _all_of(model: type[Model], investor: Investor) -> str:
    return show.list_url(model, f"q={investor.code}")


@part(order=30, permission="investors.view_kyccheck")
def kyc(investor: Investor, at: datetime) -> Found:
    """What the registries said, and fresh KYCs, newest first."""
    checks = list(KycCheck.objects.filter(investor=investor).defer("verbatim").order_by("-id")[:5])
    requests = list(KycRequest.objects.filter(investor=investor).defer("answers").order_by("-id")[:3])
    rows = [[show.change_link(each), each.get_state_display(), "", show.since(each.state_since)] for each in requests]
    rows += [_check_row(each, is_of_this_pan=each.pan_index == investor.pan_index) for each in checks]
    columns = ("KYC", "Answer", "Who must act", "When")
    return Found(Panel("KYC", columns, rows, "Nobody has been asked yet.", _all_of(KycCheck, investor)), requests)


def _check_row(check: KycCheck, *, is_of_this_pan: bool) -> list[str]:
    words = "registries" if is_of_this_pan else "registries, about another PAN"
    limit = f", up to {show.rupees(check.investment_limit)} a year in a fund house" if check.investment_limit else ""
    tone, answer = ("done", "compliant") if check.is_compliant else ("needs", check.reason or "no reason")
    said = format_html("{}{}", show.badge(tone, answer), limit)
    if check.is_compliant:
        return [show.change_link(check, words), said, "", _moment(check.checked_at)]
    reason = kyc_reasons.default(check.reason)
    return [
        show.change_link(check, words),
        said,
        reason.who,
        _moment(check.checked_at),
    ]


def _moment(at: datetime) -> str:
    return show.moment(at)


@part(order=40, permission="investors.view_bankaccount")
def banks(investor: Investor, at: datetime) -> Found:
    """Bank accounts by their last digits, with what may be debited from them."""
    accounts = list(BankAccount.objects.filter(investor=investor).defer("number").order_by("closed_at", "-is_primary"))
    mandates = list(Mandate.objects.filter(investor=investor).defer("page_url").order_by("-id")[:MOST])
    rows = [
        [
            show.change_link(each),
            "closed" if each.closed_at else "main account" if each.is_primary else each.get_kind_display(),
            each.get_verified_display() or "not verified yet",
            each.provider_ref or show.NOTHING,
        ]
        for each in accounts
    ]
    by_account = {each.pk: each.last_four for each in accounts}
    rows += [
        [
            show.change_link(each),
            f"{each.get_state_display()}, up to {show.rupees(each.limit)}",
            each.reason or f"on account …{by_account.get(each.bank_account_id, '')}",
            each.provider_ref or show.NOTHING,
        ]
        for each in mandates
    ]
    columns = ("Account or mandate", "State", "Verified", "At the provider")
    return Found(Panel("Banks and mandates", columns, rows, "No bank account yet."), mandates)


@part(order=50, permission="investors.view_changerequest")
def changes(investor: Investor, at: datetime) -> Found:
    """Changes that were asked for."""
    found = list(ChangeRequest.objects.filter(investor=investor).defer("before", "after").order_by("-id")[:MOST])
    rows = [
        [show.change_link(each), each.get_state_display(), show.moment(each.effective_at), show.since(each.state_since)]
        for each in found
    ]
    columns = ("Change", "State", "Not before", "In this state")
    return Found(
        Panel("Changes of details", columns, rows, "None was asked for.", _all_of(ChangeRequest, investor)), found
    )


@part(order=60, permission="investors.view_consent")
def consents(investor: Investor, at: datetime) -> Found:
    """What the investor said yes to, newest first."""
    found = list(Consent.objects.filter(investor=investor).order_by("-id")[:MOST])
    rows = [
        [
            show.change_link(each),
            each.isin or show.NOTHING,
            show.rupees(each.amount),
            f"given {show.moment(each.given_at)}" if each.given_at else "not given",
        ]
        for each in found
    ]
    columns = ("Consent", "ISIN", "Amount", "Answer")
    return Found(Panel("Consents", columns, rows, "None yet.", _all_of(Consent, investor)))


@part(order=70, permission="investors.view_document")
def papers(investor: Investor, at: datetime) -> Found:
    """The papers that count now; each look at one is an entry in the audit log."""
    found = Document.objects.filter(investor=investor, replaced_at=None).order_by("kind", "-id")[:MOST]
    rows = [
        [
            show.change_link(each, each.get_kind_display()),
            kyc_reasons.explain_rejection(each.refusal).title if each.refusal else "in order",
            "sent to the provider" if each.provider_ref else "kept here",
            show.moment(each.created_at),
        ]
        for each in found
    ]
    return Found(
        Panel("Papers", ("Paper", "State", "Where", "Sent"), rows, "None was sent.", _all_of(Document, investor))
    )


@part(order=80, permission="investors.view_investor")
def family(investor: Investor, at: datetime) -> Found:
    """Where the investor lives, as far as the town, and who receives the units."""
    rows = [
        [f"{each.get_kind_display().capitalize()} address", f"{each.city} {each.pincode}", each.country]
        for each in Address.objects.filter(investor=investor)
    ]
    rows += [
        [f"Nominee {each.position}", f"{each.name} ({each.relationship.lower()})", f"{each.share}%"]
        for each in Nominee.objects.filter(investor=investor)
    ]
    return Found(Panel("Address and nominees", ("What", "Who or where", ""), rows, "Nothing yet."))


@part(order=90, permission="investors.view_invite")
def sources(investor: Investor, at: datetime) -> Found:
    """Who invited, and which values somebody else entered."""
    invites = list(Invite.objects.filter(investor=investor).select_related("invited_by", "partner").defer("filled"))
    rows = [
        [
            show.change_link(each),
            f"by {each.invited_by or each.partner}",
            each.euin or show.NOTHING,
            show.moment(each.used_at),
        ]
        for each in invites
    ]
    theirs = FieldSource.objects.filter(investor=investor, source__in=("STAFF", "PARTNER")).order_by("field")
    rows += [_source_row(each) for each in theirs]
    return Found(Panel("Invited, filled in by others", ("What", "From", "EUIN", "Confirmed"), rows, "Nobody was."))


def _source_row(source: FieldSource) -> list[str]:
    confirmed = show.moment(source.confirmed_at) if source.confirmed_at else "not yet: it does not count"
    words = {"STAFF": "our staff", "PARTNER": "the partner"}[source.source]
    return [provenance.words_of(source.field).capitalize(), words, "", confirmed]
