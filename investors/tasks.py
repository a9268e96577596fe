"""Background entries about people: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from investors import (  # noqa: F401 - they register sweeps, tasks and groups
    applications,
    audiences,
    change_tasks,
    lifecycle,
    mandate_tasks,
    privacy_tasks,
    transfer_tasks,
)
from investors.models import Investor, KycRequest
from investors.operations import documents, double_search, family, invites, kyc, kyc_notices, kyc_sending, registration
from investors.operations import shown_cases as shown_cases
from portal import clock, jobs
from portal.attempts import claim_due

# Seconds until a row is looked at again when its own work has not said when.
PACE_S = {lifecycle.REGISTERING: 60.0}


SWEEP = "investors"


def _find(at: datetime) -> list[int]:
    return claim_due(Investor, at=at, pace=PACE_S)


def _advance(investor_id: int, at: datetime) -> None:
    registration.advance(investor_id=investor_id, at=at)


jobs.register_sweep(SWEEP, jobs.Sweep(find=_find, advance=_advance, task="investors.advance"))


@shared_task(name="investors.advance")
def advance(*, row_id: int, **_: object) -> None:
    """Take a registration one step further."""
    jobs.advance(SWEEP, row_id, clock.now())


# Decisions take days: the row itself says how soon it is looked at again.
KYC_PACE_S = {
    lifecycle.PENDING: 60.0,
    lifecycle.SUBMITTED: 60.0,
    lifecycle.SUCCESSFUL: 600.0,
    lifecycle.REJECTED: 600.0,
}
KYC_SWEEP = "kyc requests"


def _find_kyc_requests(at: datetime) -> list[int]:
    return claim_due(KycRequest, at=at, pace=KYC_PACE_S)


def _advance_kyc_request(request_id: int, at: datetime) -> None:
    kyc_sending.advance(request_id=request_id, at=at)


jobs.register_sweep(
    KYC_SWEEP,
    jobs.Sweep(find=_find_kyc_requests, advance=_advance_kyc_request, task="investors.advance_kyc_request"),
)


@shared_task(name="investors.advance_kyc_request")
def advance_kyc_request(*, row_id: int, **_: object) -> None:
    """Take a fresh KYC one call further."""
    jobs.advance(KYC_SWEEP, row_id, clock.now())


@shared_task(name="investors.tell_kyc")
def tell_kyc(*, row_id: int, **_: object) -> None:
    """Write to the investor that the desk asks for a paper again. The page says it too, should the message be lost."""
    now = clock.now()
    kyc_notices.tell(KycRequest.objects.select_related("investor").get(pk=row_id), at=now, about=f"{now:%d %b %H:%M}")


@shared_task(name="investors.recheck_kyc")
@jobs.singleton
def recheck_kyc(**_: object) -> None:
    """Ask the registries again about investors whose check is older than 30 days."""
    kyc.recheck_old(at=clock.now())


@shared_task(name="investors.sweep_files")
@jobs.singleton
def sweep_files(**_: object) -> None:
    """Forget files that no row names, and tell people about rows whose file is missing."""
    documents.sweep(at=clock.now())


@shared_task(name="investors.watch_birthdays")
@jobs.singleton
def watch_birthdays(**_: object) -> None:
    """Tell guardians of a child that turns 18, and open a case on the day."""
    family.watch_birthdays(at=clock.now())


@shared_task(name="investors.find_doubles")
@jobs.singleton
def find_doubles(**_: object) -> None:
    """Look for investors who are perhaps one person."""
    double_search.find_all(at=clock.now())


@shared_task(name="investors.forget_invites")
@jobs.singleton
def forget_invites(**_: object) -> None:
    """Forget who was invited long ago and never came."""
    invites.forget_unused(at=clock.now())


INVITE_SWEEP = "invitations"


def _find_invites(at: datetime) -> list[int]:
    return invites.unsent(at=at)


def _send_invite(invite_id: int, at: datetime) -> None:
    invites.send(invite_id=invite_id, at=at)


jobs.register_sweep(INVITE_SWEEP, jobs.Sweep(find=_find_invites, advance=_send_invite, task="investors.send_invite"))


@shared_task(name="investors.send_invite")
def send_invite(*, row_id: int, **_: object) -> None:
    """Send the link of an invitation that a partner's machine has made, or whose sender is no more."""
    jobs.advance(INVITE_SWEEP, row_id, clock.now())


@shared_task(name=applications.by_stage.task)
@jobs.singleton
def count_applications(**_: object) -> None:
    """How many applications stand where, for the first page of operations."""
    applications.by_stage.refresh(clock.now())
