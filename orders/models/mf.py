"""A mutual-fund order: what an investor asked for, and what it became."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.db import models
from django.db.models import Q

from investors.models import BankAccount, Consent, InvestmentAccount, Mandate, Owned
from orders import lifecycle
from orders.models.carts import Cart, CartLine
from orders.models.ledger import Folio
from orders.models.plans import Plan
from orders.models.schemes import Scheme
from orders.redemption_rules import Asked
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index


@pghistory.track()
class MfOrder(Attempted, Owned):
    """One order in one scheme. `client_ref` is saved before FP hears it as `source_ref_id`.

    Its authority is one of three: a consent of its own, a line of a confirmed cart, or an instalment of a plan. A
    trigger refuses to store an order whose consent is not given, not the investor's, or not for this scheme, amount
    and folio (migration `0008_order_guards`).
    """

    class Kind(models.TextChoices):
        PURCHASE = "PURCHASE", "Purchase"
        REDEMPTION = "REDEMPTION", "Redemption"
        # Read from FP and shown; the given API has no call that creates one.
        SWITCH_IN = "SWITCH_IN", "Switch in"
        SWITCH_OUT = "SWITCH_OUT", "Switch out"

    class State(models.TextChoices):
        CREATED = lifecycle.CREATED, "created"
        SUBMITTING = lifecycle.SUBMITTING, "being sent"
        AWAITING_PAYMENT = lifecycle.AWAITING_PAYMENT, "awaiting payment"
        PAID = lifecycle.PAID, "paid"
        PLACED = lifecycle.PLACED, "with the fund house"
        ALLOTTED = lifecycle.ALLOTTED, "units allotted"
        REDEEMED = lifecycle.REDEEMED, "units redeemed"
        REJECTED = lifecycle.REJECTED, "rejected"
        EXPIRED = lifecycle.EXPIRED, "expired"
        CANCELLED = lifecycle.CANCELLED, "cancelled"
        REVERSED = lifecycle.REVERSED, "reversed"

    class PaymentMethod(models.TextChoices):
        NETBANKING = "NETBANKING", "Net banking"
        UPI = "UPI", "UPI"
        CARD = "CARD", "Debit card"
        NACH = "NACH", "Mandate"

    class RedemptionMode(models.TextChoices):
        NORMAL = "NORMAL", "Normal"
        INSTANT = "INSTANT", "Instant"

    code = models.CharField(max_length=20, unique=True, editable=False)
    client_ref = models.CharField(max_length=40, unique=True, editable=False)
    provider = models.CharField(max_length=20, default="fp", editable=False)
    provider_ref = models.CharField(max_length=60, null=True, blank=True, editable=False)
    gateway = models.CharField(max_length=4, default="RTA", editable=False)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PURCHASE)
    state = models.CharField(max_length=18, choices=State, default=State.CREATED, editable=False)
    state_since = models.DateTimeField()
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="orders")
    folio = models.ForeignKey(Folio, null=True, blank=True, on_delete=models.PROTECT, related_name="orders")
    investment_account = models.ForeignKey(InvestmentAccount, on_delete=models.PROTECT, related_name="+")
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="+")
    consent = models.OneToOneField(Consent, null=True, blank=True, on_delete=models.PROTECT, related_name="order")
    cart = models.ForeignKey(Cart, null=True, blank=True, on_delete=models.PROTECT, related_name="orders")
    cart_line = models.OneToOneField(CartLine, null=True, blank=True, on_delete=models.PROTECT, related_name="order")
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="orders")
    instalment_on = models.DateField(null=True, blank=True, editable=False)
    # What was asked for. A redemption asks for rupees, for units, or for everything; a purchase always for rupees.
    amount = models.DecimalField("amount, rupees", max_digits=15, decimal_places=2, null=True, blank=True)
    units = models.DecimalField("units asked for", max_digits=18, decimal_places=3, null=True, blank=True)
    is_all = models.BooleanField("all units", default=False)
    redemption_mode = models.CharField(max_length=8, choices=RedemptionMode, blank=True)
    # How the fund house has done it: an instant one may be done as a normal one (given document, "Instant Redemption").
    redeemed_as = models.CharField(max_length=8, choices=RedemptionMode, blank=True, editable=False)
    # By when its money must be in the bank; first as predicted, then from the day on which units were redeemed.
    payout_by = models.DateField(null=True, blank=True, editable=False)
    # A redemption is paid out to `bank_account`; a purchase is paid from it, by `payment_method`.
    payment_method = models.CharField(max_length=10, choices=PaymentMethod, blank=True)
    mandate = models.ForeignKey(Mandate, null=True, blank=True, on_delete=models.PROTECT, related_name="orders")
    # Without an EUIN the order is execution-only, and the investor was told so (AMFI circular of 2012, SEBI master
    # circular chapter 15).
    euin = models.CharField("EUIN", max_length=7, blank=True)
    is_execution_only = models.BooleanField("declared execution only", default=True, editable=False)
    server_ip = models.GenericIPAddressField(null=True, blank=True)
    user_ip = models.GenericIPAddressField(null=True, blank=True)
    placed_at = models.DateTimeField()
    # What we told the investor before the yes: the NAV day, and the rule that gave it.
    predicted_nav_on = models.DateField()
    prediction = models.CharField(max_length=300)
    # What the fund house gave: units to 3 decimals, NAV to 4, the amount after stamp duty.
    allotted_units = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    allotted_nav = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    allotted_amount = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    allotted_on = models.DateField(null=True, blank=True)
    # When the registrar's record agreed about the units (the daily comparison).
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    failure_code = models.CharField(max_length=60, blank=True)
    failure_text = models.CharField("the provider's words", max_length=500, blank=True)

    class Meta:
        verbose_name = "order"
        ordering = ["-id"]
        # `x > 0` is NULL for a NULL, and a check that is NULL passes: hence each `isnull=False` beside a comparison.
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="one_order_per_provider_order"),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=Decimal(0)), name="an_order_is_for_a_positive_amount"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=False, units__isnull=True, is_all=False)
                | ~Q(kind="PURCHASE") & Q(amount__isnull=True, units__isnull=False, units__gt=0, is_all=False)
                | ~Q(kind="PURCHASE") & Q(amount__isnull=True, units__isnull=True, is_all=True),
                name="an_order_asks_for_rupees_or_units_or_everything",
            ),
            models.CheckConstraint(
                condition=Q(consent__isnull=False, cart__isnull=True, plan__isnull=True)
                | Q(consent__isnull=True, cart__isnull=False, plan__isnull=True)
                | Q(consent__isnull=True, cart__isnull=True, plan__isnull=False, instalment_on__isnull=False)
                | Q(consent__isnull=True, cart__isnull=True, plan__isnull=True, kind__startswith="SWITCH"),
                name="an_order_has_exactly_one_authority",
            ),
            models.CheckConstraint(
                condition=Q(cart__isnull=True, cart_line__isnull=True) | Q(cart__isnull=False, cart_line__isnull=False),
                name="an_order_of_a_cart_is_one_of_its_lines",
            ),
            models.CheckConstraint(
                condition=Q(euin="", is_execution_only=True) | (~Q(euin="") & Q(is_execution_only=False)),
                name="an_order_names_an_euin_or_is_execution_only",
            ),
            models.UniqueConstraint(fields=["plan", "instalment_on"], name="one_order_per_instalment"),
            models.CheckConstraint(
                condition=~Q(kind="REDEMPTION") | Q(folio__isnull=False) & ~Q(redemption_mode=""),
                name="a_redemption_names_its_folio_and_mode",
            ),
            models.CheckConstraint(
                condition=~Q(state="REDEEMED")
                | Q(
                    allotted_units__isnull=False,
                    allotted_units__gt=0,
                    allotted_nav__isnull=False,
                    allotted_nav__gt=0,
                    allotted_on__isnull=False,
                    allotted_amount__isnull=False,
                    allotted_amount__gt=0,
                ),
                name="a_redeemed_order_has_units_nav_day_and_rupees",
            ),
            models.CheckConstraint(
                condition=Q(payment_method="NACH") | Q(mandate__isnull=True) | Q(plan__isnull=False),
                name="a_mandate_goes_with_payment_by_mandate",
            ),
            models.CheckConstraint(
                condition=~Q(state="ALLOTTED")
                | Q(
                    allotted_units__isnull=False,
                    allotted_units__gt=0,
                    allotted_nav__isnull=False,
                    allotted_nav__gt=0,
                    allotted_on__isnull=False,
                    folio__isnull=False,
                ),
                name="an_allotted_order_has_units_nav_day_and_folio",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["CREATED", "SUBMITTING", "REJECTED", "CANCELLED"])
                | Q(provider_ref__isnull=False),
                name="an_order_beyond_submitting_is_known_to_the_provider",
            ),
            *attempt_constraints("mforder", (lifecycle.SUBMITTING,)),
        ]
        indexes = [
            due_index("mforder"),
            models.Index(fields=["investor", "-id"], name="mforder_of_investor"),
            models.Index(fields=["state", "state_since"], condition=Q(state__in=lifecycle.OPEN), name="mforder_open"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def cost(self) -> Decimal:
        """What a purchase costs, rupees. Raises ValueError for a redemption by units: nobody knows its rupees yet."""
        if self.amount is None:
            raise ValueError(f"{self.code} asks for units, not for rupees")
        return self.amount

    @property
    def asked(self) -> Asked:
        """What was asked for: rupees, units, or everything."""
        return Asked(self.amount, self.units, self.is_all)

    @property
    def authority(self) -> Consent | None:
        """The consent under which the order stands; None for what was only read from FP."""
        if self.consent is not None:
            return self.consent
        return self.cart.consent if self.cart else self.plan.consent if self.plan else None

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("ORD")
        self.client_ref = self.client_ref or identifiers.new_client_ref()
        super().save(*args, **kwargs)
