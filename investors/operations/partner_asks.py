"""What a partner sets going for an investor, who then acts on pages of ours: a fresh KYC, a mandate to authorise.

A partner's connection reads its investors and writes nothing of theirs, so these open the database for their own rows,
after the caller has found the investor among the partner's.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.urls import reverse

from investors import lifecycle
from investors.models import Investor, KycRequest, Mandate
from investors.operations import kyc_notices, kyc_requests, mandate_notices
from investors.operations.mandates import NotPossible
from portal import audit, money
from portal.clock import IST
from portal.models import Partner
from portal.notices import writing
from portal.scope import ALL, scope


def once_a_day(at: datetime) -> str:
    """What a notice is about that a partner may cause once in a day of Indian time."""
    return f"{at.astimezone(IST):%Y-%m-%d}"


def begin_kyc(*, investor: Investor, partner: Partner, actor: str, at: datetime) -> KycRequest:
    """The investor's open KYC, begun now or before, and the investor is told of it once a day. Raises NotNeeded."""
    with scope(ALL), transaction.atomic():
        request = kyc_requests.begin(investor=investor, actor=actor, at=at)
        if request.state == lifecycle.DRAFT:
            writing.tell(
                user_id=investor.user_id, event=kyc_notices.ASKED, subject=request, about=once_a_day(at),
                url=reverse("investors:kyc"), at=at, partner=partner.name,
            )  # fmt: skip
    return request


def ask_to_authorise(*, mandate: Mandate, partner: Partner, actor: str, at: datetime) -> bool:
    """The investor is told that the bank waits for their yes: True, or False when they were told today already.

    Raises NotPossible for a mandate that waits for nothing of the investor's.
    """
    if mandate.state != lifecycle.AWAITING_INVESTOR or mandate.cancel_asked_at or mandate.kind == Mandate.Kind.NACH:
        raise NotPossible("This mandate does not wait for the investor at the bank.")
    with scope(ALL), transaction.atomic():
        told = writing.tell(
            user_id=Investor.objects.values_list("user_id", flat=True).get(pk=mandate.investor_id),
            event=mandate_notices.AUTHORISE, subject=mandate, about=once_a_day(at), at=at, partner=partner.name,
            url=reverse("investors:mandate", args=[mandate.code]), limit=money.rupees(mandate.limit),
        )  # fmt: skip
        if told:
            audit.record(mandate, "mandate.authorise_asked", actor=actor, at=at)
    return told is not None
