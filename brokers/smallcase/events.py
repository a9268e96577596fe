"""smallcase's webhooks, verified and read: pure functions, no framework, no clock (providers.md 1.7).

The checksum covers the time and the account (or the transaction), *not* the orders. So a notice only rings: what it
says is confirmed by `client.fetch_orders` before anything moves.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field, ValidationError

from brokers.smallcase import messages
from brokers.smallcase.auth import NotGenuine
from portal.gateway.wire import Text

# smallcase tries again after about 15 minutes, 24 and 48 hours (providers.md 1.7); older ones are replays.
OLDEST = timedelta(days=5)
AHEAD = timedelta(minutes=15)
MAX_BODY = 1_000_000


class Notice(messages.Message):
    """A genuine webhook; `said` is its whole body. `orders` is None for notices that carry none (a holdings import)."""

    transaction_id: Text = ""
    smallcase_auth_id: Text = ""
    notes: Text = ""
    broker: Text = ""
    sent_at: datetime
    orders: messages.Orders | None = None
    said: dict[str, Any] = Field(repr=False)

    @property
    def key(self) -> str:
        """The same delivery has the same key: batch, status and time (providers.md 1.7)."""
        batch = self.orders.batches[0] if self.orders and self.orders.batches else None
        said = f"{batch.batch_id}:{batch.status}" if batch else self.transaction_id
        return f"{said}:{self.sent_at.isoformat()}"


def read_webhook(body: bytes, secrets: list[str], at: datetime) -> Notice:
    """The notice in a webhook's raw body. Raises NotGenuine: no JSON, a wrong checksum, or too old.

    `secrets` are `apiSecret`s, newest first: the old one stays valid while it is rotated out.
    """
    said = _object(body)
    timestamp = said.get("timestamp")
    if not isinstance(timestamp, str) or not _signed(said, timestamp, secrets):
        raise NotGenuine("the checksum is not ours")
    sent_at = _moment(timestamp)
    if not at - OLDEST <= sent_at <= at + AHEAD:
        raise NotGenuine("too old, or from the future")
    return Notice(
        transaction_id=said.get("transactionId"),
        smallcase_auth_id=said.get("smallcaseAuthId"),
        notes=said.get("notes"),
        broker=said.get("broker"),
        sent_at=sent_at,
        orders=_orders(said),
        said=said,
    )


def checksum(secret: str, timestamp: str, reference: str) -> str:
    """HMAC-SHA256 in hex; `reference` is the smallcaseAuthId, or the transactionId of a mutual-fund import."""
    return hmac.new(secret.encode(), f"{timestamp}{reference}".encode(), hashlib.sha256).hexdigest()


def _signed(said: dict[str, Any], timestamp: str, secrets: list[str]) -> bool:
    given = said.get("checksum")
    references = [each for each in (said.get("smallcaseAuthId"), said.get("transactionId")) if isinstance(each, str)]
    # Only a notice without orders may be signed over its transaction: else knowing one id would sign any account.
    references = references[:1] if _carries_orders(said) else references
    if not isinstance(given, str) or not references:
        return False
    wanted = [checksum(secret, timestamp, each) for secret in secrets for each in references if each]
    return any(hmac.compare_digest(each.encode(), given.lower().encode("utf-8", "replace")) for each in wanted)


def _carries_orders(said: dict[str, Any]) -> bool:
    return any(key in said for key in ("orders", "unplaced", "orderBatches", "batchId"))


def _orders(said: dict[str, Any]) -> messages.Orders | None:
    """What it says of the orders, if that can be read; an unreadable body still rings."""
    if not _carries_orders(said):
        return None
    try:
        return messages.Orders.model_validate(said)
    except ValidationError:
        return None


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError) as error:
        raise NotGenuine("no JSON") from error
    if not isinstance(said, dict):
        raise NotGenuine("no JSON object")
    return said


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotGenuine("no time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
