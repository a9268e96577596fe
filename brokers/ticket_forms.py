"""The native order ticket: one share, with the kinds of order that the exchange knows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from brokers.forms import shares_field
from orders.models import StockOrder
from orders.operations.baskets import Line

TICK = Decimal("0.05")
NOW, IMMEDIATE, AFTER_MARKET = "now", "immediate", "after_market"
LIMITED = (StockOrder.Kind.LIMIT, StockOrder.Kind.STOP_LOSS)
STOPS = (StockOrder.Kind.STOP_LOSS, StockOrder.Kind.STOP_LOSS_MARKET)


def _rupees(label: str, help_text: str) -> forms.DecimalField:
    wrong = "Enter a price in rupees and paise, for example 431.05."
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=False,
        min_value=TICK,
        max_digits=9,
        decimal_places=2,
        error_messages=dict.fromkeys(("invalid", "max_digits", "max_decimal_places", "max_whole_digits"), wrong)
        | {"min_value": "Enter a price of at least ₹0.05."},
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "input-money"}),
    )


class NumbersForm(forms.Form):
    """Number, limit and trigger of an order; which of the two prices belong to it follows from its kind."""

    quantity = shares_field()
    price = _rupees("Limit price", "The worst price that you accept.")
    trigger = _rupees("Trigger price", "The order wakes when the share trades at this price.")

    def kind(self) -> str:
        """Which kind of order the numbers are for."""
        raise NotImplementedError

    def is_buy(self) -> bool:
        """Is it a purchase?"""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Each price stands where its kind of order has one, in whole ticks, and on the right side of the other."""
        data = super().clean() or {}
        kind = self.kind()
        for name, kinds, words in (("price", LIMITED, "limit price"), ("trigger", STOPS, "trigger price")):
            value = data.get(name)
            if name in self.errors or name not in self.fields:
                continue
            if kind in kinds and value is None:
                self.add_error(name, f"Enter the {words}.")
            elif kind not in kinds and value is not None:
                self.add_error(name, f"An order of this kind has no {words}. Leave it empty.")
            elif value is not None and value % TICK:
                self.add_error(name, "Prices at NSE count in steps of ₹0.05.")
        self._check_sides(data)
        return data

    def _check_sides(self, data: dict[str, Any]) -> None:
        price, trigger = data.get("price"), data.get("trigger")
        if self.errors or price is None or trigger is None:
            return
        if self.is_buy() and trigger > price:
            self.add_error("trigger", "To buy, the trigger is at or below the limit price.")
        if not self.is_buy() and trigger < price:
            self.add_error("trigger", "To sell, the trigger is at or above the limit price.")


class TicketForm(NumbersForm):
    """A new order for one share."""

    field_order = ("side", "quantity", "kind_of_order", "price", "trigger", "product", "when", "account")
    side = forms.ChoiceField(
        label="Buy or sell",
        choices=[(StockOrder.Side.BUY, "Buy"), (StockOrder.Side.SELL, "Sell")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether you buy or sell."},
    )
    kind_of_order = forms.ChoiceField(
        label="Kind of order",
        choices=[
            (StockOrder.Kind.MARKET, "Market: at the best price there is"),
            (StockOrder.Kind.LIMIT, "Limit: at your price or better"),
            (StockOrder.Kind.STOP_LOSS, "Stop-loss: a limit order once the trigger is reached"),
            (StockOrder.Kind.STOP_LOSS_MARKET, "Stop-loss market: a market order once the trigger is reached"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the kind of order."},
    )
    product = forms.ChoiceField(
        label="Delivery or intraday",
        choices=[
            (StockOrder.Product.DELIVERY, "Delivery: the shares come to, or leave, your demat account (T+1)"),
            (StockOrder.Product.INTRADAY, "Intraday: the broker closes it the same day at 15:20"),
        ],
        widget=forms.RadioSelect,
    )
    when = forms.ChoiceField(
        label="When",
        choices=[
            (NOW, "Now, valid until the market closes"),
            (IMMEDIATE, "Immediate or cancel (IOC): what cannot be executed at once is cancelled"),
            (AFTER_MARKET, "After-market order (AMO): sent when the market opens next"),
        ],
        widget=forms.RadioSelect,
    )
    account = forms.ChoiceField(label="Account", widget=forms.RadioSelect)
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, accounts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = accounts  # type: ignore[attr-defined]
        for name, words in (("price", "limit and stop-loss orders"), ("trigger", "stop-losses")):
            self.fields[name].optional_words = words  # type: ignore[attr-defined]

    def kind(self) -> str:
        """As chosen; market before anything is."""
        return self.cleaned_data.get("kind_of_order") or StockOrder.Kind.MARKET

    def is_buy(self) -> bool:
        """As chosen."""
        return bool(self.cleaned_data.get("side") == StockOrder.Side.BUY)

    def line(self, security_id: int) -> Line:
        """The order of a good form."""
        said = self.cleaned_data
        return Line(
            security_id,
            said["side"],
            said["quantity"],
            kind=said["kind_of_order"],
            price=said["price"],
            trigger=said["trigger"],
            product=said["product"],
            is_after_market=said["when"] == AFTER_MARKET,
            is_immediate=said["when"] == IMMEDIATE,
        )


class ChangeForm(NumbersForm):
    """Other numbers for an order that is open."""

    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, line: StockOrder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.line = line
        for name, kinds in (("price", LIMITED), ("trigger", STOPS)):
            if line.kind in kinds:
                self.fields[name].required = True
                self.fields[name].error_messages["required"] = f"Enter the {name} that the order shall have."
            else:
                del self.fields[name]

    def kind(self) -> str:
        """The kind of the open order does not change."""
        return self.line.kind

    def is_buy(self) -> bool:
        """Nor does its side."""
        return self.line.side == StockOrder.Side.BUY
