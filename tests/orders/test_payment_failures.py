"""The catalogue of failures: every code of FP has its line, and the clock counts as its source says."""

from __future__ import annotations

from datetime import date

import pytest

from orders import payment_failures
from orders.payment_failures import Money

# providers.md 3.8.
FPS_CODES = """
    fp_payment_expired pg_payment_expired tpv_failed pg_timeout invalid_upi_id bank_not_enabled investor_bank_declined
    user_cancelled bank_downtime insufficient_funds upi_app_unavailable pg_server_error auth_in_progress
    invalid_credentials payment_failed invalid_bank_account mandate_payment_failed mandate_cancelled
""".split()
DIWALI = frozenset({date(2026, 11, 10), date(2026, 11, 24)})


@pytest.mark.parametrize("code", FPS_CODES)
def test_every_code_of_fp_says_what_it_means_whether_money_moved_and_what_to_do(code):
    found = payment_failures.FAILURES[code]
    assert found.meaning.endswith(".")
    assert found.to_do.endswith(".")
    assert found.money in Money


def test_no_text_speaks_of_a_success_or_in_the_provider_s_jargon():
    for failure in payment_failures.FAILURES.values():
        text = f"{failure.meaning} {failure.to_do}".lower()
        assert not any(word in text for word in ("success", "gateway", "tpv", "pg_", "token"))


@pytest.mark.parametrize(
    ("code", "text", "was_out", "money"),
    [
        ("tpv_failed", "", True, Money.LEFT),
        ("failed", "Reason: pg-timeout.", True, Money.MAYBE),
        ("timedout", "", True, Money.MAYBE),
        ("timedout", "", False, Money.STAYED),
        ("page_expired", "", False, Money.STAYED),
        ("insufficient_funds", "", True, Money.STAYED),
    ],
    ids=["third-party", "in-the-text", "unknown", "never-opened", "unused", "no-balance"],
)
def test_says_whether_money_can_have_left(code, text, was_out, money):
    assert payment_failures.of(code, text, was_out=was_out).money == money


@pytest.mark.parametrize(
    ("method", "failed_on", "today", "by", "day", "is_over"),
    [
        # Friday; five calendar days by UPI and card, whatever lies between
        ("UPI", date(2026, 11, 20), date(2026, 11, 20), date(2026, 11, 25), 0, False),
        ("UPI", date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 25), 3, False),
        ("CARD", date(2026, 11, 20), date(2026, 11, 26), date(2026, 11, 25), 5, True),
        ("NACH", date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 21), 1, False),
        # seven business days: the 24th is a holiday, two weekends do not count
        ("NETBANKING", date(2026, 11, 20), date(2026, 11, 25), date(2026, 12, 2), 2, False),
        ("NETBANKING", date(2026, 11, 20), date(2026, 12, 3), date(2026, 12, 2), 7, True),
    ],
)
def test_the_clock_of_a_refund(method, failed_on, today, by, day, is_over):
    clock = payment_failures.clock(method=method, failed_on=failed_on, today=today, holidays=DIWALI)
    assert (clock.by, clock.day, clock.is_over) == (by, day, is_over)


def test_the_clock_in_words():
    clock = payment_failures.clock(
        method="NETBANKING", failed_on=date(2026, 11, 20), today=date(2026, 11, 25), holidays=DIWALI
    )
    assert clock.in_words == "by 2 Dec 2026; today is day 2 of 7"


@pytest.mark.parametrize("text", ["Transaction refused by the issuer", "page_lost"])
def test_the_providers_words_are_not_taken_for_reasons_of_our_own(text):
    assert payment_failures.code_in(text) == ""
    assert payment_failures.of("failed", text).money == Money.MAYBE
