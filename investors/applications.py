"""Where an application stands: invited, in progress, you must act, we are checking, ready; and the clock of each.

The view `v_applications` (migration 0009) computes it, for the investor's first page, the queue of operations and the
panel alike. Here are the words for each of its answers: what is so, who must act, and for how long that is usual.

    why                     stage          who acts
    invited                 invited        the person invited; the link runs out
    filling_in              in progress    the investor
    kyc_refused             you must act   the investor: the registries say no
    kyc_papers              you must act   the investor: a fresh KYC is to be completed before FP's clock runs out
    kyc_stopped             we are checking    our team: FP refused what no step asks for
    kyc_rejected            you must act   the investor
    kyc_expired             you must act   the investor
    registration_refused    you must act   the investor
    kyc_desk                we are checking    our desk, before anything is sent
    kyc_sent                we are checking    fund house and registry
    registry_works          we are checking    the registry
    registries_follow       we are checking    the registries repeat what the fund house has said
    registering             we are checking    we
    registration_stopped    we are checking    our team
    ready                   ready          nobody
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from investors.models import Application, Investor
from portal import counted

INVITED, IN_PROGRESS, YOU_ACT = Application.Stage.INVITED, Application.Stage.IN_PROGRESS, Application.Stage.YOU_ACT
WE_CHECK, READY = Application.Stage.WE_CHECK, Application.Stage.READY


@dataclass(frozen=True)
class Words:
    """One answer of the view in words. After `patience` a person of ours looks."""

    title: str
    text: str
    who: str
    patience: timedelta | None = None


_DAY = timedelta(days=1)
WORDS = {
    "invited": Words("Invited", "The invitation waits to be accepted.", "the person invited", 3 * _DAY),
    "filling_in": Words("Finish getting ready to invest", "Every step you finish is kept.", "the investor", 7 * _DAY),
    "kyc_refused": Words(
        "Your KYC needs something from you",
        "The registries did not confirm your PAN. The page says why, and what to do.",
        "the investor",
        7 * _DAY,
    ),
    "kyc_papers": Words(
        "Complete your KYC", "Some answers or papers are still missing; the list shows which.", "the investor", 7 * _DAY
    ),
    "kyc_stopped": Words(
        "Our team is looking at your KYC",
        "Something came up that no step here asks for. We write to you; nothing you entered is lost.",
        "our team",
        timedelta(hours=4),
    ),
    "kyc_rejected": Words(
        "Correct your KYC",
        "Something was not accepted. The page says what, and how to put it right.",
        "the investor",
        7 * _DAY,
    ),
    "kyc_expired": Words(
        "Begin your KYC again",
        "Time ran out before everything was sent. What you entered is kept.",
        "the investor",
        7 * _DAY,
    ),
    "registration_refused": Words(
        "Correct your details", "Something was not accepted when we registered you.", "the investor", 7 * _DAY
    ),
    "kyc_desk": Words(
        "We are looking over your KYC",
        "Somebody of ours compares what you entered with your papers, then it is sent. There is nothing for you to do.",
        "our desk",
        _DAY,
    ),
    "kyc_sent": Words(
        "Your KYC is being checked",
        "The fund house and the registry usually take two to three working days. There is nothing for you to do.",
        "fund house and registry",
        5 * _DAY,
    ),
    "registry_works": Words(
        "The registry is checking your KYC",
        "This usually takes two to three working days. There is nothing for you to do.",
        "the registry",
        5 * _DAY,
    ),
    "registries_follow": Words(
        "Your KYC is done; the registries are being told",
        "We ask them every few hours. There is nothing for you to do.",
        "the registries",
        3 * _DAY,
    ),
    "registering": Words(
        "We are registering you",
        "This usually takes less than a minute. There is nothing for you to do.",
        "we",
        timedelta(hours=1),
    ),
    "registration_stopped": Words(
        "Our team is looking at your registration",
        "Something came up that you cannot put right yourself. We write to you; nothing you entered is lost.",
        "our team",
        timedelta(hours=4),
    ),
    "ready": Words("You are ready to invest", "Your registration is complete.", "nobody"),
}
# How stages look on pages (portal_tags.state) and in the admin.
KINDS: dict[str, str] = {
    INVITED: "waiting",
    IN_PROGRESS: "needs",
    YOU_ACT: "needs",
    WE_CHECK: "checking",
    READY: "done",
}

# What is done about these stands on the pages of a fresh KYC.
AT_KYC = ("kyc_papers", "kyc_stopped", "kyc_rejected", "kyc_expired", "kyc_desk", "kyc_sent", "registries_follow")


def of(investor: Investor) -> Application | None:
    """Where this investor's application stands; None before it was begun, and after it was merged into another."""
    if investor.pk is None:
        return None
    found = Application.objects.filter(investor=investor).first()
    if found:
        found.investor = investor
    return found


def words_of(application: Application) -> Words:
    """The words for the exact answer."""
    return WORDS[application.why]


def is_late(application: Application, at: datetime) -> bool:
    """Does it stand there for longer than usual, or has its time run out?"""
    patience = words_of(application).patience
    waits_long = patience is not None and at - application.since > patience
    return waits_long or (application.until is not None and application.until <= at)


def late(at: datetime) -> Q:
    """The same as a condition on rows."""
    found = Q(until__lte=at)
    for why, words in WORDS.items():
        if words.patience:
            found |= Q(why=why, since__lt=at - words.patience)
    return found


def _by_stage(at: datetime) -> list[Any]:
    found = Application.objects.filter(is_open=True).order_by("stage").values_list("stage")
    return list(found.annotate(count=Count("ref"), late=Count("ref", filter=late(at)), oldest=Min("since")))


# (stage, how many are on their way, how many for longer than usual, since when the oldest).
by_stage = counted.Figure("investors.count_applications", "investors_investor", _by_stage)


def clock_of(application: Application, at: datetime) -> str:
    """`since 3 days`, `since today, until 30 Nov 2026`: the clock that an investor reads."""
    days = (at.date() - application.since.astimezone(at.tzinfo).date()).days
    since = "since today" if days <= 0 else "since yesterday" if days == 1 else f"for {days} days"
    until = application.until.astimezone(at.tzinfo) if application.until else None
    return f"{since}, until {until:%-d %b %Y}" if until else since
