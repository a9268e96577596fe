"""How the admin writes things: badges in the colours of the house, ages, rupees, links between objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from portal import clock, money, redaction
from portal.attempts import Attempted
from portal.templatetags.portal_tags import NOTHING, day, moment

__all__ = [
    "NOTHING",
    "age",
    "attempt_words",
    "badge",
    "change_link",
    "change_url",
    "compared",
    "cut",
    "day",
    "due",
    "due_words",
    "figure",
    "find",
    "grouped",
    "link",
    "links",
    "list_url",
    "moment",
    "once",
    "pretty",
    "rupees",
    "since",
    "subject_link",
    "two",
]

# The states' colours of `static/src/css/tokens.css`, here under the names the admin's stylesheet gives them.
TONES = ("waiting", "needs", "done", "failed", "checking", "neutral")


Shown = TypeVar("Shown")


def once(read: Callable[..., Shown]) -> Callable[..., Shown]:
    """Keeps on a row what is read to show it: a page of the admin asks for each of its fields five times."""

    @wraps(read)
    def kept(*asked: Any) -> Shown:
        known: dict[Any, Shown] = vars(asked[-1]).setdefault("_shown", {})
        if read not in known:
            known[read] = read(*asked)
        return known[read]

    return kept


def badge(tone: str, words: str) -> SafeString:
    """A state as a word on its colour. Raises ValueError for a tone that is not in TONES."""
    if tone not in TONES:
        raise ValueError(tone)
    return format_html('<span class="ops-badge ops-{}">{}</span>', tone, words)


def age(length: timedelta) -> str:
    """A length of time in its largest one or two units: `45 s`, `12 min`, `3 h 10 min`, `4 d 2 h`."""
    seconds = max(0, int(length.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return f"{seconds} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def since(moment_then: datetime | None) -> str:
    """How long ago a moment was; an en dash for none."""
    return age(clock.now() - moment_then) if moment_then else NOTHING


def due(moment_then: datetime) -> SafeString:
    """`due 14:30`, on another day `due 24 Nov 2026, 18:00`, and afterwards `late by 2 h 5 min`."""
    at, then = clock.now(), moment_then.astimezone(clock.IST)
    if then < at:
        return badge("failed", f"late by {age(at - then)}")
    return format_html("due {}", f"{then:%H:%M}" if then.date() == at.date() else moment(then))


def rupees(amount: Decimal | None) -> str:
    """`₹1,23,456.78`, or an en dash."""
    return NOTHING if amount is None else money.rupees(amount)


def figure(value: Decimal | None, places: int, sign: str = "") -> str:
    """Units or a NAV in Indian grouping, or an en dash."""
    return NOTHING if value is None else f"{sign}{money.number(value, places)}"


def grouped(value: int) -> str:
    """A whole number in Indian grouping: `12,34,567`."""
    return money.number(Decimal(value), 0)


def attempt_words(row: Attempted) -> str:
    """How often a row was sent, and how often we looked for it: `2 sent, 3 looks`."""
    if not row.attempt_no:
        return "not sent yet"
    looks = f", {row.looks} look{'' if row.looks == 1 else 's'}" if row.looks else ""
    return f"{row.attempt_no} sent{looks}"


def due_words(due_at: datetime | None) -> str:
    """When background work looks at a row again: `in 40 s`, `4 min late`, or an en dash when it never does."""
    if due_at is None:
        return NOTHING
    left = due_at - clock.now()
    return f"in {age(left)}" if left > timedelta(0) else f"{age(-left)} late"


def change_url(model: type[models.Model], pk: object) -> str | None:
    """The admin page of an object; None when its model has none."""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return None


def list_url(model: type[models.Model], query: str = "") -> str:
    """The admin list of a model, narrowed by a query string."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{query}" if query else url


def change_link(obj: models.Model | None, words: str = "") -> str:
    """A link to an object's admin page, in its own words."""
    if obj is None:
        return NOTHING
    url = change_url(type(obj), obj.pk)
    text = words or str(obj)
    return format_html('<a class="ops-link" href="{}">{}</a>', url, text) if url else text


def link(url: str, words: str) -> SafeString:
    """A link of ours."""
    return format_html('<a class="ops-link" href="{}">{}</a>', url, words)


def links(objects: Iterable[tuple[models.Model, str]]) -> str:
    """Links to several objects, each with a word behind it; an en dash for none."""
    written = [format_html("{} {}", change_link(obj), words) for obj, words in objects]
    return format_html_join(mark_safe("<br>"), "{}", ((each,) for each in written)) or NOTHING


def two(first: str, second: str) -> SafeString:
    """Two lines in one cell: what is looked for, and what stands beside it."""
    return format_html('<span class="ops-two"><span>{}</span><small>{}</small></span>', first, second)


def cut(words: str) -> SafeString:
    """A long name on one line, whole on hover."""
    return format_html('<span class="ops-cut" title="{0}">{0}</span>', words)


def compared(lines: Iterable[tuple[str, str, str]]) -> SafeString:
    """Before and after, line by line: what, as it is, as it would be."""
    head = mark_safe("<thead><tr><th>What</th><th>Before</th><th>After</th></tr></thead>")
    cells = '<tr><th scope="row">{}</th><td data-label="Before">{}</td><td data-label="After">{}</td></tr>'
    return format_html('<table class="ops-table">{}<tbody>{}</tbody></table>', head, format_html_join("", cells, lines))


def find(kind: str, pk: str) -> models.Model | None:
    """The object that evidence or a case refers to as `orders.mforder` and a key; None when it is gone."""
    try:
        model = apps.get_model(kind)
        return model._base_manager.filter(pk=pk).first()
    except (LookupError, ValueError):
        return None


def subject_link(kind: str, pk: str) -> str:
    """A link to what evidence or a case is about, without reading it from the database."""
    try:
        model = apps.get_model(kind)
    except (LookupError, ValueError):
        return NOTHING
    url = change_url(model, pk) if model in admin.site._registry else None
    words = f"{model._meta.verbose_name} {pk}"
    return format_html('<a class="ops-link" href="{}">{}</a>', url, words) if url else words


def pretty(body: Any) -> SafeString | str:
    """A stored body as indented JSON, once more without anything that looks like a PAN, a token or an account."""
    if body in (None, "", {}, []):
        return NOTHING
    text = redaction.text(json.dumps(body, indent=2, ensure_ascii=False, default=str))
    return format_html('<pre class="ops-body" tabindex="0">{}</pre>', text)
