"""Once the day has passed by which money of a failed payment should be back, a case opens that its investor sees."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from investors.models import InvestorCase
from payments import gateway, operations
from payments.gateway import PaymentSnapshot
from payments.models import Payment
from payments.operations import chasing
from portal.clock import IST
from portal.models import Case, Notice
from tests import factories

pytestmark = pytest.mark.django_db
# A Friday. Tuesday 24 November is a holiday.
FAILED = datetime(2026, 11, 20, 10, 0, tzinfo=IST)


@pytest.fixture
def said(monkeypatch) -> dict[str, str]:
    """What FP says about each payment that it is asked about."""
    word = {"state": "FAILED"}
    monkeypatch.setattr(gateway, "fetch", lambda payment: PaymentSnapshot(payment.provider_ref, word["state"], "x"))
    return word


def ended(asha, **changes: object) -> Payment:
    """A payment whose page the investor opened, and of which the bank said no more."""
    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    about = {"state": "FAILED", "failure_code": "pg_timeout", "method": "UPI", "handed_over_at": FAILED} | changes
    payment = factories.PaymentFactory(order=order, **about)
    Payment.objects.filter(pk=payment.pk).update(state_since=FAILED, due_at=FAILED)
    return payment


def sweep_until(payment: Payment, until: datetime) -> None:
    """Each look that the row asks for, as the sweep takes them."""
    for _ in range(60):
        payment.refresh_from_db()
        if payment.due_at is None or payment.due_at > until:
            return
        operations.advance(payment_id=payment.pk, at=payment.due_at)
    raise AssertionError("looked at without an end")


def at(day: int, clock: str, month: int = 11) -> datetime:
    return datetime.fromisoformat(f"2026-{month}-{day:02}T{clock}").replace(tzinfo=IST)


@pytest.mark.parametrize(
    ("method", "in_time", "late", "by", "source"),
    [
        ("UPI", at(25, "23:59"), at(26, "13:00"), "25 Nov 2026", "Reserve Bank"),
        ("CARD", at(25, "23:59"), at(26, "13:00"), "25 Nov 2026", "Reserve Bank"),
        ("NACH", at(21, "23:59"), at(22, "13:00"), "21 Nov 2026", "Reserve Bank"),
        # Seven business days: longer than a late success is looked for.
        ("NETBANKING", at(2, "23:59", 12), at(3, "00:00", 12), "2 Dec 2026", "our own promise"),
    ],
)
def test_a_case_opens_when_the_clock_of_the_rail_has_run_out(asha, said, method, in_time, late, by, source):
    payment = ended(asha, method=method, handed_over_at=None if method == "NACH" else FAILED)
    sweep_until(payment, in_time)
    assert not Case.objects.exists()
    sweep_until(payment, late)
    case = Case.objects.get()
    assert (case.kind, case.subject_id, case.rupees) == (chasing.CASE, str(payment.pk), payment.amount)
    assert by in case.detail
    assert source in case.detail
    sweep_until(payment, late + timedelta(days=60))
    assert (Case.objects.count(), Case.objects.get().times_reported) == (1, 1)


def test_the_investor_reads_it_with_its_rule_and_is_told_once(asha, said, client_for):
    payment = ended(asha)
    sweep_until(payment, at(30, "10:00"))
    seen = InvestorCase.objects.get(investor=asha)
    order = payment.lines.get().order
    page = client_for(asha).get(f"/orders/{order.code}/").content.decode()
    assert "The day by which the money should be back has passed" in page
    assert "by 25 Nov 2026 (the Reserve Bank&#x27;s limit for failed payments)" in page
    assert seen.code in page
    page = client_for(asha).get(f"/cases/{seen.code}/").content.decode()
    assert "is the money back?" in page
    assert "You need not do anything" not in page, "they are to look at their statement"
    assert Notice.objects.filter(title__contains="is the money back").count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"failure_code": "insufficient_funds"},
        {"failure_code": "mandate_payment_failed", "method": "NACH"},
        {"handed_over_at": None, "state": "EXPIRED", "failure_code": "page_expired"},
    ],
    ids=["balance-too-low", "not-debited", "page-never-opened"],
)
def test_nobody_chases_money_that_never_left(asha, said, changes):
    sweep_until(ended(asha, **changes), at(30, "10:00", 12))
    assert not Case.objects.exists()


@pytest.mark.parametrize("code", ["fp_payment_expired", "pg_payment_expired", "page_expired"])
@pytest.mark.parametrize("state", ["FAILED", "EXPIRED"])
def test_a_page_that_was_opened_and_left_is_no_case_once_fp_says_on_the_day_too_that_nothing_came(
    asha, said, code, state
):
    payment = ended(asha, state=state, failure_code=code)
    sweep_until(payment, at(30, "10:00", 12))
    assert not Case.objects.exists()
    payment.refresh_from_db()
    assert payment.due_at is None, "and nobody looks at it for ever"


def test_a_page_that_was_left_and_of_which_fp_still_waits_is_a_case(asha, said):
    said["state"] = "AWAITING_INVESTOR"
    sweep_until(ended(asha, state="EXPIRED", failure_code="page_expired"), at(30, "10:00"))
    case = Case.objects.get()
    assert (case.kind, "that it still waits for the payment" in case.detail) == (chasing.CASE, True)


def test_a_case_says_as_of_when_nothing_was_collected(asha, said, client_for):
    payment = ended(asha)
    sweep_until(payment, at(26, "13:00"))
    opened = Case.objects.get().opened_at.astimezone(IST)
    assert f"FP said at {opened:%H:%M} on 26 Nov 2026 that nothing was collected" in Case.objects.get().detail
    page = client_for(asha).get(f"/cases/{InvestorCase.objects.get().code}/").content.decode()
    assert "When this case was opened we asked the payment service again: it had collected nothing." in page


def test_while_fp_says_nothing_nobody_claims_that_it_was_asked(asha, monkeypatch):
    def silent(payment: Payment) -> PaymentSnapshot:
        raise RuntimeError("away")

    monkeypatch.setattr(gateway, "fetch", silent)
    payment = ended(asha)
    with pytest.raises(RuntimeError):
        operations.advance(payment_id=payment.pk, at=at(20, "10:00", 12))
    assert not Case.objects.exists()
    payment.refresh_from_db()
    assert payment.due_at == at(20, "22:00", 12), "and it is asked again"


@pytest.mark.parametrize(
    "said",
    [
        {"state": None, "their_word": "ON_HOLD"},
        {"state": "DEBITED", "their_word": "SUCCESS", "amount": Decimal("1.00")},
        {"state": "DEBITED", "their_word": "SUCCESS", "order_refs": frozenset({"another"})},
    ],
    ids=["a-word-that-we-do-not-know", "another-amount", "other-orders"],
)
def test_while_fp_says_what_nobody_understands_nobody_claims_that_nothing_was_collected(asha, monkeypatch, said):
    monkeypatch.setattr(gateway, "fetch", lambda payment: PaymentSnapshot(payment.provider_ref, **said))
    payment = ended(asha)
    operations.advance(payment_id=payment.pk, at=at(20, "10:00", 12))
    assert not Case.objects.filter(kind=chasing.CASE).exists()
    payment.refresh_from_db()
    assert payment.due_at == at(20, "22:00", 12), "and it is asked again"


def test_a_success_after_all_ends_the_chase(asha, said):
    payment = ended(asha)
    sweep_until(payment, at(26, "13:00"))
    said["state"] = "DEBITED"
    sweep_until(payment, at(27, "13:00"))
    payment.refresh_from_db()
    assert payment.state == "LATE"
    assert Case.objects.get(kind=chasing.CASE).state == "CLOSED"
    assert Case.objects.get(state="OPEN").kind == operations.LATE_SUCCESS_CASE


def test_money_that_is_followed_since_its_failure_is_not_chased_a_second_time(asha, said):
    payment = ended(asha, state="DEBITED")
    failed = PaymentSnapshot(payment.provider_ref, "FAILED", "FAILED", failure_code="pg_timeout")
    operations.absorb(payment_id=payment.pk, snapshot=failed, at=FAILED)
    sweep_until(payment, at(30, "10:00", 12))
    assert [case.kind for case in Case.objects.all()] == [operations.REVERSED_CASE]
