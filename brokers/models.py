"""An investor at a broker: the link, the session for its day, and the references that we handed out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from investors.models import Document, Owned
from orders.models import BasketOrder, StockOrder
from portal import identifiers, money
from portal.encryption import EncryptedTextField


class Broker(models.TextChoices):
    """The three routes. Their capabilities stand in `brokers/registry.py`."""

    SMALLCASE = "smallcase", "smallcase Gateway"
    ODIN = "odin", "ODIN Connector"
    FIVEPAISA = "5paisa", "5paisa"


@pghistory.track(exclude=["session"])
class BrokerAccount(Owned):
    """An investor's account at a broker. No password, PIN or TOTP is ever here: only a session, for its day."""

    code = models.CharField(max_length=20, unique=True, editable=False)
    broker = models.CharField(max_length=12, choices=Broker)
    # The broker's own name for the person: smallcaseAuthId, sVasUserId or client code.
    account_ref = models.CharField(max_length=80)
    # Which broker lies behind a gateway ("kite", "0AF1C1"), and what people call the account.
    house = models.CharField(max_length=30, blank=True)
    label = models.CharField(max_length=80, blank=True)
    session = EncryptedTextField("the broker's session", null=True, blank=True, editable=False)
    session_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    linked_at = models.DateTimeField()
    unlinked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # One account at a broker belongs to one investor here: a second person with it is a case, not a link.
            models.UniqueConstraint(
                fields=["broker", "account_ref"],
                condition=Q(unlinked_at__isnull=True),
                name="a_broker_account_is_linked_to_one_investor",
            ),
            models.CheckConstraint(
                condition=Q(session__isnull=True) | Q(session_expires_at__isnull=False), name="a_session_has_an_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_broker_display()} {self.label or self.code}"

    def session_at(self, at: datetime) -> str:
        """The session, while it lasts; empty when the investor must log in at the broker again."""
        lasts = self.session_expires_at is not None and self.session_expires_at > at
        return (self.session or "") if lasts else ""

    def time_left(self, at: datetime) -> str:
        """How long the session still lasts, in hours and minutes; empty when it is over."""
        if not self.session_at(at) or self.session_expires_at is None:
            return ""
        hours, minutes = divmod(int((self.session_expires_at - at).total_seconds()) // 60, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("BRK")
        super().save(*args, **kwargs)


class LinkState(Owned):
    """A one-time state of a login at a broker and back: minted for one investor, used once, short-lived.

    The state itself is in the browser's session and at the broker; here is its digest only.
    """

    state_hash = models.CharField(max_length=64, unique=True)
    broker = models.CharField(max_length=12, choices=Broker)
    # Which broker behind a gateway, where the way back does not say it.
    house = models.CharField(max_length=30, blank=True)
    # Whose new session it is to be; nothing for an account that is new here.
    account = models.ForeignKey(BrokerAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    basket_order = models.ForeignKey(BasketOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When the broker itself asked us whether this state is ours (ODIN's TwoWayAuth).
    asked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.broker} {self.created_at:%d %b %Y %H:%M}"


class BrokerOrderRef(Owned):
    """A short reference that a broker wants (ODIN's `sRecoId`, six characters): handed out once, for ever."""

    broker = models.CharField(max_length=12, choices=Broker)
    ref = models.CharField(max_length=10)
    basket_order = models.OneToOneField(BasketOrder, on_delete=models.PROTECT, related_name="broker_order_ref")
    allocated_at = models.DateTimeField()
    # How far the broker's numbered news had come by then: everything about the basket comes after it.
    news_after = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["broker", "ref"], name="a_broker_reference_is_handed_out_once"),
        ]

    def __str__(self) -> str:
        return self.ref


class OmexEvent(Owned):
    """What ODIN said of an order or a trade, fetched by us: a fact, kept once, in whatever order it came."""

    class Kind(models.TextChoices):
        ORDER = "ORDER", "order"
        TRADE = "TRADE", "trade"

    basket_order = models.ForeignKey(BasketOrder, on_delete=models.PROTECT, related_name="omex_events")
    kind = models.CharField(max_length=5, choices=Kind)
    # ODIN's running number; the greatest of an order is its news.
    sequence = models.PositiveBigIntegerField()
    # ODIN's code of the order, and the exchange's number where there is one.
    order_key = models.CharField(max_length=60)
    exchange_ref = models.CharField(max_length=60, blank=True)
    token = models.CharField(max_length=30)
    symbol = models.CharField(max_length=30, blank=True)
    side = models.CharField(max_length=4, blank=True)
    account_ref = models.CharField(max_length=80, blank=True)
    # Of an order: its status, how much was asked for and has been traded, and why not.
    status = models.SmallIntegerField(null=True, blank=True)
    quantity = models.PositiveIntegerField(default=0)
    traded = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)
    # Of a trade: its number, and rupees for each share.
    trade_number = models.CharField(max_length=60, blank=True)
    price = models.DecimalField(max_digits=15, decimal_places=4, null=True, blank=True)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["basket_order", "kind", "order_key", "sequence"], name="a_message_of_omex_is_kept_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="ORDER", status__isnull=False)
                | Q(kind="TRADE", price__isnull=False, price__gt=0, traded__gte=1),
                name="a_trade_has_a_price_and_an_order_a_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_key} {self.sequence}"


class NewsCursor(models.Model):
    """How far a broker's numbered news was read."""

    broker = models.CharField(max_length=12, primary_key=True, choices=Broker)
    sequence = models.PositiveBigIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.broker} {self.sequence}"


class OrderProof(Owned):
    """A paper of the broker's that an investor sent about a journey of which the broker tells us nothing."""

    class Shows(models.TextChoices):
        PLACED = "PLACED", "what was executed"
        NOTHING = "NOTHING", "that nothing was placed"

    basket_order = models.ForeignKey(BasketOrder, on_delete=models.PROTECT, related_name="proofs")
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="+")
    # What the investor says that it shows; a person looks.
    shows = models.CharField(max_length=8, choices=Shows, default=Shows.PLACED, db_default=Shows.PLACED)
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(shows__in=("PLACED", "NOTHING")),
                name="a_paper_shows_what_was_executed_or_that_nothing_was_placed",
            )
        ]

    def __str__(self) -> str:
        return f"{self.document}"


class ShareSettlement(Owned):
    """What a broker's evidence shows of a share order that it never told us the end of: one asks, another approves."""

    class State(models.TextChoices):
        WAITING = "WAITING", "waits for a second person"
        APPROVED = "APPROVED", "approved"
        DECLINED = "DECLINED", "declined"

    stock_order = models.ForeignKey(StockOrder, on_delete=models.PROTECT, related_name="settlements")
    # The broker's or the exchange's number of the order; empty: the broker never had it.
    order_number = models.CharField(max_length=60, blank=True)
    filled = models.PositiveIntegerField("shares executed", default=0)
    price = models.DecimalField("average price, rupees", max_digits=15, decimal_places=4, null=True, blank=True)
    evidence = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["stock_order"], condition=Q(state="WAITING"), name="one_waiting_settlement_per_share"
            ),
            models.CheckConstraint(
                condition=Q(filled=0, price__isnull=True)
                | Q(filled__gte=1, price__isnull=False, price__gt=0) & ~Q(order_number=""),
                name="what_was_executed_has_a_number_and_a_price",
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="WAITING") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="a_decided_settlement_names_who_decided",
            ),
            models.CheckConstraint(
                condition=~Q(state="APPROVED") | ~Q(decided_by=F("asked_by")),
                name="a_settlement_is_approved_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        if not self.order_number:
            return "The broker never had it."
        price = f" at {money.rupees(self.price)}" if self.price else ""
        return f"The broker has it as {self.order_number}: {self.filled} executed{price}."
