"""What investors read about a case: what happened, what we do, and by when. Staff's own words stay with staff.

Kinds and records are data of the app that has them; a kind that is not here is for operations only. From the moment on
at which a case of such a kind opens, its investor sees it and can write about it (`operations/shown_cases.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Model
from django.urls import reverse

from investors.models import Investor, KycRequest, Mandate
from portal import money


@dataclass(frozen=True)
class CaseWords:
    """One kind of case, as its investor reads it."""

    title: str
    happened: str
    doing: str
    # Whoever opens such a case tells of it with an event of its own.
    is_told: bool = False
    # Does `doing` ask the investor for something?
    asks_you: bool = False


class About(NamedTuple):
    """What a case is about: whose it is, in words, and where it stands on their pages."""

    investor_id: int
    what: str
    url: str


KINDS: dict[str, CaseWords] = {}
# By the kind of record that a case may be about.
ABOUT: dict[str, Callable[[Any], About | None]] = {}


def show(kinds: Mapping[str, CaseWords]) -> None:
    """From now on cases of these kinds are shown to whose record they are about."""
    KINDS.update(kinds)


def about(model: type[Model], found: Callable[[Any], About | None]) -> None:
    """Cases about such records are shown to whom `found` names."""
    ABOUT[model._meta.label_lower] = found


# --- Cases about people, their KYC and their mandates ------------------------------------------------------------


def of_mandate(mandate: Mandate) -> About:
    """The mandate's own page."""
    what = f"Mandate {mandate.code}, up to {money.rupees(mandate.limit)} a debit"
    return About(mandate.investor_id, what, reverse("investors:mandate", args=[mandate.code]))


def of_kyc(request: KycRequest) -> About:
    """The page of the KYC."""
    return About(request.investor_id, "Your KYC", reverse("investors:kyc"))


def of_investor(investor: Investor) -> About:
    """Their profile, where the KYC stands too."""
    return About(investor.pk, "Your KYC", reverse("investors:profile"))


ASKING = "We ask until we know, and a person here follows it."
show(
    {
        "mandate_outcome_unknown": CaseWords(
            "We look for your mandate",
            "The answer to your mandate was lost, and the first look-ups did not settle it.",
            ASKING,
        ),
        "mandate_not_cancelled": CaseWords(
            "Your mandate is not cancelled yet",
            "You asked for its end, and the bank's side has not confirmed it.",
            "We go on asking for it until it has ended. Until then a debit under it may still happen.",
        ),
        "mandate_news_conflict": CaseWords(
            "We look into your mandate",
            "What we were told about it contradicts what we knew. We have changed nothing.",
            "A person here finds out what is true.",
        ),
        "kyc_request_unknown": CaseWords(
            "We look for your KYC",
            "The answer to what we sent was lost, and the first look-ups did not settle it.",
            ASKING,
        ),
        "kyc_done_and_registries_disagree": CaseWords(
            "Your KYC is done, and the registries do not show it",
            "The fund house accepted your KYC, but the registries still answer otherwise.",
            "We ask the registry to follow. You need not send anything again.",
        ),
        "kyc_request_contradicts_itself": CaseWords(
            "We look into your KYC",
            "What we were told about it contradicts what we knew. We have changed nothing.",
            "A person here finds out what is true.",
        ),
        "kyc_no_longer_compliant": CaseWords(
            "The registries no longer show your KYC as complete",
            "Your KYC was complete, and the registries now answer otherwise. What you hold stays yours.",
            "We find out what they miss, and write to you with what to do. New purchases may be refused meanwhile.",
        ),
    }
)
about(Mandate, of_mandate)
about(KycRequest, of_kyc)
about(Investor, of_investor)
