"""What a proposed rule would change, in words for the second person: what it replaces, and one example. Pure."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

from orders import calendar, redemption_rules, rulebook, rules
from orders.rulebook import Book, Rule
from portal.clock import IST

_SALES = ("sale_cutoff", "payout_days")
# They move no date of a single order.
_NO_DATES = ("payment_limit", "sip_failures", "sip_end_days")
_HALF_HOURS = [time(minutes // 60, minutes % 60) for minutes in range(0, 24 * 60, 30)]


def said(name: str, value: str) -> str:
    """A value with its unit: `14:30`, `2 business days`, `₹5,00,000`, `yes`."""
    unit = rulebook.SORTS[name].unit
    if unit == rulebook.DAYS:
        return {"0": "the same day", "1": "1 business day"}.get(value, f"{value} business days")
    return rules.rupees(Decimal(value)) if unit == rulebook.RUPEES else value


def preview(rule: Rule, *, book: Book, holidays: frozenset[date]) -> str:
    """What holds without it, what takes its place later, and the first order of its first business day that differs."""
    others = Book(tuple(each for each in book.rules if _key(each) != _key(rule)))
    was = others.find(rule.name, rule.of, on=rule.valid_from)
    later = [each for each in others.rules if _key(each)[:2] == _key(rule)[:2] and each.valid_from > rule.valid_from]
    ends = min(later, key=lambda each: each.valid_from, default=None)
    parts = [
        f"Without it {said(was.name, was.value)}." if was else "Without it no such rule.",
        f"From {calendar.short(ends.valid_from)} on {said(ends.name, ends.value)} takes its place." if ends else "",
        _example(rule, others, others.with_rule(rule), holidays),
    ]
    return " ".join(part for part in parts if part)


def _key(rule: Rule) -> tuple[str, str, date]:
    return rule.name, rule.of, rule.valid_from


def _example(rule: Rule, before: Book, after: Book, holidays: frozenset[date]) -> str:
    if rule.name in _NO_DATES:
        return ""
    day = calendar.on_or_after(rule.valid_from, holidays)
    outcome = _of_sale if rule.name in _SALES else _of_purchase
    for clock in sorted({*_HALF_HOURS, *_times(rule, before)}):
        at = datetime.combine(day, clock, tzinfo=IST)
        was, becomes = (outcome(rule, at, book, holidays) for book in (before, after))
        if was != becomes:
            return f"With it the first to differ, at {at:%H:%M} on {calendar.short(day)}: {becomes} instead of {was}."
    return "No date that is promised changes by it."


def _times(rule: Rule, before: Book) -> list[time]:
    """The very cut-offs, which need not lie on a half hour."""
    if rulebook.SORTS[rule.name].unit != rulebook.TIME:
        return []
    was = before.find(rule.name, rule.of, on=rule.valid_from)
    return [time.fromisoformat(each.value) for each in (rule, was) if each]


def _of_purchase(rule: Rule, at: datetime, book: Book, holidays: frozenset[date]) -> str:
    by_rail = rulebook.SORTS[rule.name].about == rulebook.RAIL
    category = rule.of if not by_rail else "Liquid Fund" if rule.name.endswith("_liquid") else ""
    method = rule.of if by_rail and rule.of else "UPI"
    found = rules.predict_nav_day(at=at, category=category, method=method, holidays=holidays, book=book)
    return f"NAV of {calendar.short(found.nav_on)}, units by {calendar.short(found.allotment_by)}"


def _of_sale(rule: Rule, at: datetime, book: Book, holidays: frozenset[date]) -> str:
    on = at.date()
    found = redemption_rules.predict(
        at=at,
        is_liquid=rules.gets_the_day_before(rule.of, book=book, on=on),
        payout=redemption_rules.payout_of(category=rule.of, asset_class="", book=book, on=on),
        holidays=holidays,
        cutoff=redemption_rules.cutoff_of(rule.of, book=book, on=on),
    )
    return f"NAV of {calendar.short(found.nav_on)}, money by {calendar.short(found.pay_by)}"
