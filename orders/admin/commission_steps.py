"""Pages of commission that take more than one step: words, forms of one button each, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from portal.admin import home, show


@dataclass(frozen=True)
class Step:
    """A form with one button; `kept` goes with it unseen."""

    words: str
    url: str
    form: Form = field(default_factory=Form)
    kept: Mapping[str, str] = field(default_factory=dict)


def page(
    request: HttpRequest,
    model: Any,
    title: str,
    *,
    says: Sequence[str] = (),
    steps: Sequence[Step] = (),
    panels: Sequence[home.Panel] = (),
    links: Sequence[tuple[str, str]] = (),
    following: str = "",
) -> HttpResponse:
    """The page; 422 where a form of it was sent and has something wrong."""
    context = {
        **admin.site.each_context(request),
        "opts": model._meta,
        "title": title,
        "says": says,
        "steps": steps,
        "panels": panels,
        "links": links,
        "next": following,
    }
    status = 422 if any(step.form.errors for step in steps if step.form.is_bound) else 200
    return TemplateResponse(request, "admin/commission_step.html", context, status=status)


def begins(request: HttpRequest, permission: str, words: str, address: str) -> dict[str, Any]:
    """What a list offers above it to whoever may: the page on which a new row begins (`admin/begin.html`)."""
    return {"begin": (words, reverse(f"admin:{address}"))} if request.user.has_perm(permission) else {}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table among the fields of a page; an en dash for none. The first cell of a row is its name."""
    if not rows:
        return show.NOTHING
    names = format_html_join("", '<th scope="col">{}</th>', ((words,) for words in head))
    body = format_html_join("", '<tr><th scope="row">{}</th>{}</tr>', ((row[0], _cells(head, row)) for row in rows))
    return format_html('<table class="ops-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', names, body)


def _cells(head: Sequence[str], row: Sequence[str]) -> str:
    return format_html_join("", '<td data-label="{}">{}</td>', zip(head[1:], row[1:], strict=True))
