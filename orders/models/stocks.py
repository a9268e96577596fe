"""Orders in shares through the investor's own broker, and what the broker says they hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.db import models
from django.db.models import F, Q

from investors.models import Owned
from orders import lifecycle
from orders.models.baskets import Basket, BasketVersion
from orders.models.securities import Security
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index


@pghistory.track()
class BasketOrder(Attempted, Owned):
    """One journey to one broker: a basket, a rebalance, a repair, an exit or a single share. Its lines say the rest.

    "Filled", "partly" and "none" are never stored: they follow from the lines. A broker that never answers leaves it
    HANDED_OVER; without evidence it is neither complete nor failed.
    """

    class LeftWhy(models.TextChoices):
        PRICE = "PRICE", "The price has moved"
        MONEY = "MONEY", "I need the money elsewhere"
        ELSEWHERE = "ELSEWHERE", "I have bought or sold it elsewhere"
        ENOUGH = "ENOUGH", "What was executed is enough"

    class Intent(models.TextChoices):
        BUY = "BUY", "buy"
        REBALANCE = "REBALANCE", "rebalance"
        REPAIR = "REPAIR", "repair"
        EXIT = "EXIT", "sell everything"
        SINGLE = "SINGLE", "single share"

    class State(models.TextChoices):
        CREATED = lifecycle.CREATED, "created"
        HANDED_OVER = lifecycle.HANDED_OVER, "with your broker"
        PLACED = lifecycle.PLACED, "placed"
        COMPLETE = lifecycle.COMPLETE, "complete"
        CANCELLED = lifecycle.CANCELLED, "cancelled"
        EXPIRED = lifecycle.EXPIRED, "expired"

    code = models.CharField(max_length=20, unique=True, editable=False)
    client_ref = models.CharField(max_length=40, unique=True, editable=False)
    form_ref = models.CharField(max_length=40, unique=True, editable=False)
    broker = models.CharField(max_length=12, editable=False)
    # Which of the investor's accounts at that broker; known only after the journey on some routes.
    broker_account_ref = models.CharField(max_length=80, blank=True, editable=False)
    provider_ref = models.CharField(max_length=80, null=True, blank=True, editable=False)
    intent = models.CharField(max_length=10, choices=Intent)
    basket = models.ForeignKey(Basket, null=True, blank=True, on_delete=models.PROTECT, related_name="orders")
    version = models.ForeignKey(BasketVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    repairs = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="repaired_by")
    state = models.CharField(max_length=12, choices=State, default=State.CREATED, editable=False)
    state_since = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What the investor answered, where no notice ever comes: "yes", "no", or nothing yet. A statement, not evidence.
    investor_says = models.CharField(max_length=10, blank=True)
    # When and why the investor left what was not executed as it is: nobody reminds of it any more.
    left_at = models.DateTimeField(null=True, blank=True, editable=False)
    left_why = models.CharField(max_length=10, choices=LeftWhy, blank=True, editable=False)
    user_ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True, blank=True, editable=False)
    failure_code = models.CharField(max_length=60, blank=True, editable=False)
    failure_text = models.CharField("the broker's words", max_length=500, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["broker", "provider_ref"], name="one_basket_order_per_broker_reference"),
            models.CheckConstraint(
                condition=~Q(intent="REPAIR") | Q(repairs__isnull=False), name="a_repair_names_what_it_repairs"
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True, left_why="") | Q(left_at__isnull=False) & ~Q(left_why=""),
                name="what_was_left_says_why",
            ),
            # What was repaired is not repaired a second time; a repair that came to nothing does not count.
            models.UniqueConstraint(
                fields=["repairs"],
                condition=~Q(state__in=(lifecycle.CANCELLED, lifecycle.EXPIRED)),
                name="one_live_repair_per_order",
            ),
            *attempt_constraints("basketorder", (lifecycle.CREATED, lifecycle.HANDED_OVER, lifecycle.PLACED)),
        ]
        indexes = [due_index("basketorder"), models.Index(fields=["investor", "-id"], name="basketorder_of_investor")]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("BKO")
        self.client_ref = self.client_ref or identifiers.new_client_ref()
        super().save(*args, **kwargs)


@pghistory.track()
class StockOrder(Attempted, Owned):
    """One share of a basket order: asked, placed, filled, at which average price, and why not."""

    class Side(models.TextChoices):
        BUY = "BUY", "buy"
        SELL = "SELL", "sell"

    class Kind(models.TextChoices):
        MARKET = "MARKET", "market"
        LIMIT = "LIMIT", "limit"
        STOP_LOSS = "STOP_LOSS", "stop-loss"
        STOP_LOSS_MARKET = "STOP_LOSS_MARKET", "stop-loss market"

    class Product(models.TextChoices):
        DELIVERY = "DELIVERY", "delivery"
        INTRADAY = "INTRADAY", "intraday"

    class State(models.TextChoices):
        PENDING = lifecycle.PENDING, "waiting"
        PLACED = lifecycle.PLACED, "placed"
        PARTLY_FILLED = lifecycle.PARTLY_FILLED, "partly filled"
        FILLED = lifecycle.FILLED, "filled"
        REJECTED = lifecycle.REJECTED, "rejected"
        CANCELLED = lifecycle.CANCELLED, "cancelled"

    code = models.CharField(max_length=20, unique=True, editable=False)
    client_ref = models.CharField(max_length=40, unique=True, editable=False)
    basket_order = models.ForeignKey(BasketOrder, on_delete=models.PROTECT, related_name="lines")
    security = models.ForeignKey(Security, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=4, choices=Side)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.MARKET)
    product = models.CharField(max_length=8, choices=Product, default=Product.DELIVERY)
    is_after_market = models.BooleanField("after-market order", default=False)
    is_immediate = models.BooleanField("immediate or cancel", default=False)
    quantity = models.PositiveIntegerField()
    price = models.DecimalField("limit price, rupees", max_digits=15, decimal_places=2, null=True, blank=True)
    trigger = models.DecimalField("trigger price, rupees", max_digits=15, decimal_places=2, null=True, blank=True)
    state = models.CharField(max_length=14, choices=State, default=State.PENDING, editable=False)
    state_since = models.DateTimeField(editable=False)
    provider_ref = models.CharField("broker's order number", max_length=60, blank=True, editable=False)
    exchange_ref = models.CharField("exchange order number", max_length=60, blank=True, editable=False)
    # Of the broker's last word on this order; a smaller one is old news (providers.md 2.7).
    sequence = models.PositiveBigIntegerField(default=0, editable=False)
    filled = models.PositiveIntegerField(default=0, editable=False)
    average_price = models.DecimalField(max_digits=15, decimal_places=4, null=True, blank=True, editable=False)
    failure_code = models.CharField(max_length=60, blank=True, editable=False)
    failure_text = models.CharField("the broker's words", max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True, blank=True, editable=False)
    final_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["basket_order", "security", "side"], name="a_share_stands_once_per_order"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="a_stock_order_is_for_shares"),
            models.CheckConstraint(condition=Q(filled__lte=F("quantity")), name="no_more_is_filled_than_was_asked"),
            models.CheckConstraint(
                condition=Q(filled=0) | Q(average_price__isnull=False, average_price__gt=Decimal(0)),
                name="what_is_filled_has_a_price",
            ),
            models.CheckConstraint(
                condition=~Q(state="FILLED") | Q(filled=F("quantity")), name="filled_means_all_of_it"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=("LIMIT", "STOP_LOSS")) | Q(price__isnull=False, price__gt=Decimal(0)),
                name="a_limit_order_has_its_price",
            ),
            models.CheckConstraint(
                condition=~Q(kind__startswith="STOP") | Q(trigger__isnull=False, trigger__gt=Decimal(0)),
                name="a_stop_loss_has_its_trigger",
            ),
            *attempt_constraints("stockorder", (lifecycle.PENDING, lifecycle.PLACED, lifecycle.PARTLY_FILLED)),
        ]
        indexes = [due_index("stockorder"), models.Index(fields=["investor", "-id"], name="stockorder_of_investor")]

    def __str__(self) -> str:
        return self.code

    @property
    def is_plain(self) -> bool:
        """At the market's price, for delivery, valid for the day: what every route takes, and says the same of."""
        at_market = (self.kind, self.product) == (self.Kind.MARKET, self.Product.DELIVERY)
        return at_market and not self.is_immediate

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("STK")
        self.client_ref = self.client_ref or identifiers.new_client_ref()
        super().save(*args, **kwargs)


class StockHolding(Owned):
    """What a broker said an account holds, when it was last asked. Theirs, not computed by us."""

    broker = models.CharField(max_length=12)
    account_ref = models.CharField(max_length=80)
    security = models.ForeignKey(Security, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField()
    # Bought and not delivered yet (T+1): shown apart, because it cannot be sold everywhere.
    unsettled = models.PositiveIntegerField(default=0)
    average_price = models.DecimalField(max_digits=15, decimal_places=4, null=True, blank=True)
    reported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investor", "broker", "account_ref", "security"], name="one_stock_holding_per_account_and_share"
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.security_id}"
