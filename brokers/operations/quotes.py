"""A refresh of prices: one call to 5paisa for up to fifty shares, for everybody who looks at them.

5paisa's market data needs a client's session (document 004: `Authorization: Bearer`). Used are that of the house's own
account, if the setting MARKET_FEED_ACCOUNT names one and somebody has logged it in today, else that of the investor who
looks, for what they look at. Without either nothing is asked, and the page says so beside NSE's last close.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.conf import settings
from django.db.models import Q

from brokers.fivepaisa import feed
from brokers.fivepaisa.auth import Session
from brokers.models import Broker, BrokerAccount
from brokers.operations import accounts
from orders.models import Depth, Quote, SecurityCode
from orders.operations import quotes
from portal.gateway import errors

log = structlog.get_logger(__name__)
# How 5paisa's master names the exchange that we show; see `codes`.
SEGMENT = "N"


def refresh(*, asked: dict[type[Quote] | type[Depth], Sequence[int]], investor_id: int | None, at: datetime) -> None:
    """What was claimed is asked for and settled, one call a kind. Trouble leaves the prices as they were."""
    account = _account(investor_id, at)
    for model, ids in asked.items():
        if not ids:
            continue
        if account is None:
            quotes.nobody_reads(model=model, security_ids=ids, investor_id=investor_id)
        else:
            _ask(model, ids, account, at)


def _account(investor_id: int | None, at: datetime) -> BrokerAccount | None:
    """The house's account before the viewer's; both only with a session that is still good."""
    whose = (
        Q(code=settings.MARKET_FEED_ACCOUNT) | Q(investor_id=investor_id)
        if investor_id
        else Q(code=settings.MARKET_FEED_ACCOUNT)
    )
    good = BrokerAccount.objects.filter(
        whose, broker=Broker.FIVEPAISA, unlinked_at__isnull=True, session__isnull=False, session_expires_at__gt=at
    )
    return min(good, key=lambda each: each.code != settings.MARKET_FEED_ACCOUNT, default=None)


def _ask(model: type[Quote] | type[Depth], ids: Sequence[int], account: BrokerAccount, at: datetime) -> None:
    codes = dict(
        SecurityCode.objects.filter(broker=Broker.FIVEPAISA, segment=SEGMENT, security_id__in=ids).values_list(
            "security_id", "code"
        )
    )
    try:
        found = feed.READS[model](Session(account.account_ref, account.session or ""), codes) if codes else {}
    except errors.GatewayError as error:
        if isinstance(error, errors.NotAuthorised):
            accounts.end_session(account=account, at=at)
        log.warning("quotes_not_refreshed", error=str(error))
        quotes.settle(model=model, security_ids=ids, trouble=Quote.Trouble.NO_ANSWER, at=at)
        return
    quotes.take_in(model=model, found=found, asked=ids, at=at)
