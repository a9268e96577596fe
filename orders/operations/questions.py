"""A question that an investor asks about an order: a case with their message."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from investors.models import InvestorCase
from investors.operations import shown_cases
from orders.models import MfOrder
from portal import audit
from portal.models import User


def ask(*, order: MfOrder, text: str, form_ref: str, author: User, at: datetime) -> InvestorCase:
    """The question is a case with their message, and stands in the order's story. Raises NothingLeft."""
    with transaction.atomic():
        title = f"Order {order.code}: the investor asks"
        row = shown_cases.ask(subject=order, title=title, text=text, form_ref=form_ref, author=author, at=at)
        audit.record(order, "order.asked_about", actor=author, at=at, case=row.code)
    return row
