"""What the endpoints of this app share: the owner filter."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from investors.models import Investor
from portal.api.door import Call
from portal.api.errors import Trouble
from portal.api.shapes import Filter

OWNER = Filter("investor__code", "Only of this investor.")


def mine(model: Any, call: Call) -> QuerySet[Any]:
    """Rows of investors whom the partner brought."""
    found: QuerySet[Any] = model.objects.filter(investor__partner=call.partner)
    return found


def investors(call: Call) -> QuerySet[Investor]:
    """The investors whom the partner brought."""
    return Investor.objects.filter(partner=call.partner)


def investor_of(call: Call) -> Investor:
    """The one whom the address names. Raises Trouble("not_found") for anybody else's."""
    found = investors(call).filter(code=call.id).first()
    if found is None:
        raise Trouble("not_found")
    return found
