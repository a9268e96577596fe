"""Two at once: clicks on the confirmation, workers on the same row. Each race is shown with its guard off first."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from investors.models import Consent, Mandate
from investors.operations import consents, mandate_sending, mandates
from portal import clock
from portal.fintech_primitives import client as fp
from portal.gateway import journal
from tests import factories
from tests.database import raised_at_once

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT = Decimal("25000.00")


@pytest.fixture
def consent(asha, monkeypatch) -> Consent:
    """A mandate to be confirmed; whatever is typed is the right code."""
    bank = asha.bankaccounts.get()
    wish = mandates.prepare(investor=asha, bank_account=bank, kind="E_MANDATE", limit=LIMIT, at=clock.now())
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: True)
    asked = {"purpose": "MANDATE", "amount": LIMIT, "isin": "", "shown": mandates.shown(wish), "given_at": None}
    return factories.ConsentFactory(investor=asha, asked_at=clock.now(), **asked)


def confirm(consent: Consent) -> Mandate:
    return mandates.confirm(investor=consent.investor, code=consent.code, otp="123456", ip=None, at=clock.now())


def test_without_the_lock_only_the_database_stands_against_a_second_mandate(consent, monkeypatch):
    read = threading.Barrier(3)

    def without_lock(*, investor, code):
        found = Consent.objects.get(investor=investor, code=code)
        read.wait(10)
        return found

    monkeypatch.setattr(consents, "lock", without_lock)
    assert raised_at_once(lambda: confirm(consent), 3) == ["IntegrityError"] * 2


def test_three_clicks_at_once_are_one_mandate_and_nobody_sees_an_error(consent):
    assert raised_at_once(lambda: confirm(consent), 3) == []
    assert Mandate.objects.count() == 1


@pytest.fixture
def mandate(consent, sandbox) -> Mandate:
    """On record, not sent yet."""
    return confirm(consent)


def test_without_the_claim_every_worker_sends(mandate, monkeypatch):
    monkeypatch.setattr(mandate_sending, "_claim", lambda pk, at, has_ref: Mandate.objects.get(pk=pk))
    # Whoever has no claim has no open attempt either, so the fence in front of the journal would stop all three.
    monkeypatch.setattr("investors.mandate_gateway.fenced", journal.about)
    raised_at_once(lambda: mandate_sending.create(mandate_id=mandate.pk, at=clock.now()), 3)
    assert len(list(fp.client().list_mandates())) == 3


def test_without_the_claim_the_fence_lets_nobody_send(mandate, monkeypatch):
    monkeypatch.setattr(mandate_sending, "_claim", lambda pk, at, has_ref: Mandate.objects.get(pk=pk))
    raised_at_once(lambda: mandate_sending.create(mandate_id=mandate.pk, at=clock.now()), 3)
    assert list(fp.client().list_mandates()) == []


def test_three_workers_at_once_send_one_mandate(mandate):
    assert raised_at_once(lambda: mandate_sending.create(mandate_id=mandate.pk, at=clock.now()), 3) == []
    assert len(list(fp.client().list_mandates())) == 1
    mandate.refresh_from_db()
    assert mandate.state == "AWAITING_INVESTOR"
