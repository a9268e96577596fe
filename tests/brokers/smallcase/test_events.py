"""smallcase's webhooks: the checksum, what it does not cover, age, and the key of a repeated delivery."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from brokers.smallcase import events
from brokers.smallcase.auth import NotGenuine
from brokers.smallcase.messages import BatchStatus

SECRET = "api-secret"
ACCOUNT = "5f0c0ffee0ddba11ca5e0001"
TIMESTAMP = "2024-01-02T03:04:05.000Z"
AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
# providers.md section 10.
CHECKSUM = "160bb82bb590b19d6c73915c1b7e7f43e23b07c534814dcf28f34f1f9fbf1441"
ORDER = {"tradingsymbol": "ITC", "transactionType": "BUY", "status": "COMPLETE", "quantity": 5, "filledQuantity": 5}
NOTICE = {
    "batchId": "B1",
    "status": "COMPLETED",
    "orders": [ORDER],
    "unplaced": [],
    "transactionId": "TRX_1",
    "notes": "ours",
    "broker": "kite",
    "smallcaseAuthId": ACCOUNT,
    "timestamp": TIMESTAMP,
    "checksum": CHECKSUM,
}


def read(notice: object, secrets: list[str] | None = None, at: datetime = AT) -> events.Notice:
    return events.read_webhook(json.dumps(notice).encode(), secrets or [SECRET], at)


def test_checks_the_published_vector():
    assert events.checksum(SECRET, TIMESTAMP, ACCOUNT) == CHECKSUM


def test_reads_a_genuine_notice():
    notice = read(NOTICE)
    assert (notice.transaction_id, notice.notes, notice.smallcase_auth_id) == ("TRX_1", "ours", ACCOUNT)
    assert notice.orders.batches[0].status is BatchStatus.COMPLETED
    assert notice.sent_at == AT


def test_the_old_secret_is_believed_while_it_is_rotated_out():
    assert read(NOTICE, ["new", SECRET])


@pytest.mark.parametrize(
    "change",
    [
        {"checksum": "0" * 64},
        {"checksum": None},
        {"checksum": "é"},
        {"checksum": [CHECKSUM]},
        {"timestamp": "2024-01-02T03:04:06.000Z"},
        {"timestamp": 7},
        {"smallcaseAuthId": "somebody else"},
        {"smallcaseAuthId": None},
        {"smallcaseAuthId": ""},
    ],
)
def test_believes_no_other_time_account_or_checksum(change):
    with pytest.raises(NotGenuine):
        read({**NOTICE, **change})


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b" " * 2_000_000])
def test_what_is_no_object_is_not_genuine(body):
    with pytest.raises(NotGenuine):
        events.read_webhook(body, [SECRET], AT)


@pytest.mark.parametrize("age", [timedelta(days=5, seconds=1), -timedelta(minutes=16)])
def test_a_replay_from_long_ago_and_a_notice_from_the_future_are_not_believed(age):
    with pytest.raises(NotGenuine):
        read(NOTICE, at=AT + age)


def test_the_third_retry_after_two_days_is_believed():
    assert read(NOTICE, at=AT + timedelta(hours=72))


def test_an_import_is_signed_over_its_transaction_but_orders_never_are():
    """HMAC of timestamp and transaction, worked out with openssl; document 001 signs orders over the account."""
    signed = "c9d28ee6f5e51f457a193ea11966b49bf42f725aeb49f00c6143e8494599f6fe"
    bare = {"transactionId": "TRX_1", "timestamp": TIMESTAMP, "checksum": signed}
    assert read(bare).orders is None
    with pytest.raises(NotGenuine):
        read({**bare, "batchId": "B1", "orders": [ORDER], "smallcaseAuthId": ACCOUNT})


def test_the_orders_are_not_signed_so_an_unreadable_body_still_rings():
    """The checksum does not cover them: the notice is genuine, its orders must be asked for."""
    notice = read({**NOTICE, "orders": [{"tradingsymbol": "ITC"}]})
    assert notice.transaction_id == "TRX_1"
    assert notice.orders is None


def test_a_repeated_delivery_has_the_same_key_and_a_new_state_another():
    assert read(NOTICE).key == read(NOTICE).key
    assert read(NOTICE).key != read({**NOTICE, "status": "PARTIALLYFILLED"}).key
