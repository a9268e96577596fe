"""FP's mandates beside ours: all of the tenant, a page at a time.

What FP says of a mandate that we know is taken in. One that nobody here knows may be debited: a person looks. A
mandate that FP lost debits nothing, and the SIPs under it are compared by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from investors import mandate_gateway
from investors.models import Mandate
from investors.operations import mandate_sending
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages.mandates import Mandate as TheirMandate
from portal.lifecycle import Verdict
from portal.management.reconciliation import PAGE, Difference, Report
from portal.models import Heartbeat


def compare(report: Report, heart: Heartbeat, at: datetime) -> Iterator[Difference]:
    """Every mandate of FP's."""
    listed = iter(fp.client().list_mandates())
    while page := list(islice(listed, PAGE)):
        report.compared["mandates at FP"] += len(page)
        yield from _page(report, heart, page, at)


def _page(report: Report, heart: Heartbeat, page: list[TheirMandate], at: datetime) -> Iterator[Difference]:
    ours = {row.provider_ref: row for row in Mandate.objects.filter(provider_ref__in=[each.id for each in page])}
    starting = _starting([each.bank_account_id for each in page if each.bank_account_id])
    for theirs in page:
        if row := ours.get(theirs.id):
            _catch_up(report, row, theirs, at)
        elif theirs.bank_account_id not in starting:
            words = f"FP has mandate {theirs.id} ({theirs.mandate_status}), which was never sent from here"
            yield Difference("mandate_only_at_fp", heart, words)


def _starting(accounts: list[str]) -> set[str]:
    """Bank accounts for which an attempt of our own may have made it: the sweep will recognise it."""
    sent = Mandate.objects.filter(provider_ref=None, attempt_no__gt=0, bank_account__provider_ref__in=accounts)
    return {ref for ref in sent.values_list("bank_account__provider_ref", flat=True) if ref}


def _catch_up(report: Report, row: Mandate, theirs: TheirMandate, at: datetime) -> None:
    said = mandate_gateway.snapshot(theirs, row.kind)
    if said.state in (None, row.state):
        return
    verdict: Verdict | None = Verdict.APPLY
    if not report.dry:
        verdict = mandate_sending.absorb(mandate_id=row.pk, snapshot=said, at=at)
    report.caught_up += verdict == Verdict.APPLY
