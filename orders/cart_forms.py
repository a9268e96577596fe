"""Shapes of what investors type into their cart: amount and folio at each line, and how they pay for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.forms import PayForm, folio_field, rupees_field
from orders.models import CartLine
from orders.queries.purchases import NEW_FOLIO


class CartForm(PayForm):
    """`amount_<id>` and `folio_<id>` for each line, then how it is paid."""

    def __init__(
        self, *args: Any, lines: Sequence[CartLine], folios: Mapping[int, Sequence[str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        for line in lines:
            amount = self.fields[f"amount_{line.pk}"] = rupees_field()
            amount.label, amount.initial = _label("Amount", line), f"{line.amount:.0f}"
            if mine := folios.get(line.scheme.fund_house_id):
                folio = self.fields[f"folio_{line.pk}"] = folio_field(mine)
                folio.required = False
                folio.label = _label("Folio", line)
                folio.initial = line.folio.number if line.folio else NEW_FOLIO

    @property
    def amounts(self) -> dict[int, Decimal]:
        """Rupees by line."""
        cents = Decimal("0.01")
        return {line.pk: self.cleaned_data[f"amount_{line.pk}"].quantize(cents) for line in self.lines}

    @property
    def folios(self) -> dict[int, str]:
        """Numbers of folios by line, or `new`; nothing for a line whose fund house knows no folio of the investor's."""
        chosen = {line.pk: self.cleaned_data.get(f"folio_{line.pk}") for line in self.lines}
        return {pk: number for pk, number in chosen.items() if number}


def _label(word: str, line: CartLine) -> SafeString:
    """The word, and for those who hear the page of which fund."""
    return format_html('{}<span class="sr-only"> for {}</span>', word, line.scheme.name)
