"""What templates of every app share: figures and dates as people read them, icons, states, widgets.

The formatting itself lives in `portal.money`; here it only becomes usable in templates. A missing value is an en
dash, so that a page with nothing to show yet needs no `if` around each figure. Rows of long tables are formatted in
the view, not here.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from portal import acting, money, prose, typed
from portal.clock import IST
from portal.glossary import GLOSSARY

register = template.Library()

NOTHING = "–"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

# --- Texts of staff -----------------------------------------------------------------------------------------------


@register.filter(name="prose")
def prose_of(text: str) -> SafeString:
    """What staff wrote, as paragraphs and lists (`portal/prose.py`)."""
    return prose.html(text)


# --- Numbers --------------------------------------------------------------------------------------------------


def _decimal(value: object) -> Decimal | None:
    """`value` as a Decimal; None for nothing. A float is refused: money never passes through one."""
    if value is None or value == "":
        return None
    if isinstance(value, float):
        raise TypeError("a figure reached a template as a float; use Decimal")
    return value if isinstance(value, Decimal) else Decimal(str(value))


@register.filter
def rupees(value: object) -> str:
    """`₹1,23,456.78`."""
    amount = _decimal(value)
    return NOTHING if amount is None else money.rupees(amount)


@register.filter
def whole_rupees(value: object) -> str:
    """`₹5,000` where there are no paise, else as `rupees`: for limits and quick amounts."""
    amount = _decimal(value)
    return NOTHING if amount is None else money.rupees(amount).removesuffix(".00")


@register.filter
def rupees_compact(value: object) -> str:
    """`₹12.4 L`; put the exact figure beside it, in a title or a table."""
    amount = _decimal(value)
    return NOTHING if amount is None else money.rupees_short(amount)


@register.filter
def signed_rupees(value: object) -> str:
    """`+₹120.00` or `−₹3.50`."""
    amount = _decimal(value)
    return NOTHING if amount is None else money.signed_rupees(amount)


@register.filter
def units(value: object) -> str:
    """Units with three decimals."""
    amount = _decimal(value)
    return NOTHING if amount is None else money.number(amount, 3)


@register.filter
def nav(value: object) -> str:
    """A NAV with rupee sign and four decimals."""
    amount = _decimal(value)
    return NOTHING if amount is None else f"₹{money.number(amount, 4)}"


@register.filter
def percent(value: object) -> str:
    """A signed percentage with two decimals: `+12.40%`. The value is already in percent."""
    amount = _decimal(value)
    return NOTHING if amount is None else money.signed_percent(amount)


def _coloured(amount: Decimal, text: str) -> SafeString:
    rounded = money.to_paise(amount)
    kind = "gain" if rounded > 0 else "loss" if rounded < 0 else "flat"
    return format_html('<span class="{}">{}</span>', kind, text)


@register.filter
def gain_rupees(value: object) -> str:
    """A gain or loss in rupees with sign, arrow and colour."""
    amount = _decimal(value)
    return NOTHING if amount is None else _coloured(amount, money.signed_rupees(amount))


@register.filter
def gain_percent(value: object) -> str:
    """A gain or loss in percent with sign, arrow and colour."""
    amount = _decimal(value)
    return NOTHING if amount is None else _coloured(amount, money.signed_percent(amount))


# --- Dates ----------------------------------------------------------------------------------------------------


@register.filter
def day(value: date | datetime | str | None) -> str:
    """`20 Nov 2026`, in India; takes an ISO date as text too. Month names do not follow the browser's language."""
    if not value:
        return NOTHING
    if isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(IST)
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


@register.filter
def moment(value: datetime | None) -> str:
    """`20 Nov 2026, 14:05 IST`."""
    return f"{day(value)}, {value.astimezone(IST):%H:%M} IST" if value else NOTHING


# --- Icons, states, words -------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, size: int = 20, label: str = "", css: str = "") -> str:
    """A lucide icon as inline SVG. Without `label` it is decoration and hidden from screen readers."""
    return _icon(str(name), int(size), str(label), str(css))


@cache
def _icon(name: str, size: int, label: str, css: str) -> str:
    spoken = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    return lucide(name, size=size, **{"class": f"icon {css}".strip()}, **spoken)


# kind -> icon, word when the caller has none. The colours stand in static/src/css/tokens.css.
STATES = {
    "waiting": ("hourglass", "Waiting"),
    "needs": ("hand", "Needs you"),
    "done": ("circle-check", "Done"),
    "failed": ("circle-x", "Not done"),
    "checking": ("search-check", "We are checking"),
    "neutral": ("circle-minus", ""),
    "new": ("circle-dot", "New"),
}


@register.simple_tag
def state(kind: str, word: str = "") -> str:
    """The badge of a state: colour, icon and word. Raises KeyError for a kind that is not in STATES."""
    return _state(str(kind), str(word))


@cache
def _state(kind: str, word: str) -> str:
    symbol, usual = STATES[kind]
    return format_html('<span class="state state-{}">{}{}</span>', kind, _icon(symbol, 14, "", ""), word or usual)


@register.filter
def state_icon(kind: str) -> str:
    """The icon name of a state, for timelines and alerts."""
    return STATES[kind][0]


# Alert and message levels in the words of Django's messages -> the state whose colour and icon they share.
LEVELS = {"info": "waiting", "debug": "waiting", "success": "done", "warning": "needs", "error": "failed"}


@register.filter
def level_kind(level: str) -> str:
    """`success` -> `done` and so on; a state's own name stays."""
    return LEVELS.get(level, level if level in STATES else "waiting")


RISK_STEPS = ("low", "low to moderate", "moderate", "moderately high", "high", "very high")


@register.simple_tag
def risk_meter(level: str) -> str:
    """The risk-o-meter: its word and how many of six bars are filled. An unknown word is shown without bars."""
    word = str(level or "").strip()
    if word.lower() not in RISK_STEPS:
        return format_html('<span class="risk-meter">{}</span>', word or "Risk not stated")
    reached = RISK_STEPS.index(word.lower()) + 1
    bars = format_html_join(
        "", '<b class="{}"></b>', (("on" if step < reached else "off",) for step in range(len(RISK_STEPS)))
    )
    shown = word[0].upper() + word[1:].lower()
    return format_html('<span class="risk-meter"><i aria-hidden="true">{}</i>{} risk</span>', bars, shown)


@register.simple_tag(takes_context=True)
def glossary(context: template.Context, term: str, text: str = "") -> str:
    """A word that explains itself on click or tap. Raises KeyError for a term that the glossary lacks."""
    return _glossary(f"term-{_next_number(context)}", str(term).lower(), str(text))


@lru_cache(maxsize=512)
def _glossary(here: str, term: str, text: str) -> str:
    entry = GLOSSARY[term]
    return format_html(
        '<button type="button" class="term" popovertarget="{0}">{1}</button>'
        '<span class="term-note" id="{0}" popover><b>{2}</b>{3}</span>',
        here,
        text or entry.word,
        entry.word[0].upper() + entry.word[1:],
        entry.meaning,
    )


def _next_number(context: template.Context) -> str:
    """1, 2, 3 … within one answer, so that ids are unique in the page and equal between two renderings of it."""
    request = context.get("request")
    if request is None:
        context.render_context["glossary"] = number = (context.render_context.get("glossary") or 0) + 1
    else:
        request.glossary_count = number = getattr(request, "glossary_count", 0) + 1
    # A fragment is swapped into a page that has its own numbers.
    part = getattr(getattr(request, "htmx", None), "target", None)
    return f"{part}-{number}".replace("#", "-") if part else str(number)


# What a user agent contains -> what people call it; the first that fits counts, so Edge stands before Chrome.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser(user_agent: str) -> str:
    """`Chrome on Android`, from the header that a browser sends. It is a hint to its owner, not a fact."""
    text = user_agent or ""
    name = next((word for part, word in _BROWSERS if part in text), "Unknown browser")
    system = next((word for part, word in _SYSTEMS if part in text), "")
    return f"{name} on {system}" if system else name


# --- Forms ----------------------------------------------------------------------------------------------------

# Widget class -> our class. A widget keeps its own classes beside it (`input-money`, `input-code`, `upper`).
WIDGETS = {
    "select": "select",
    "nullbooleanselect": "select",
    "selectmultiple": "select",
    "textarea": "textarea",
    "checkbox": "checkbox",
    "checkboxselectmultiple": "checkbox",
    "radioselect": "radio",
    "file": "file-input",
    "clearablefile": "file-input",
    "hidden": "",
}


@register.simple_tag
def widget(field: BoundField) -> SafeString:
    """The field's input in the look of the house; ids, `required` and the aria attributes come from Django."""
    attrs = field.field.widget.attrs
    look = WIDGETS.get(field.widget_type, "input")
    extra: dict[str, Any] = {"class": f"{look} {attrs.get('class', '')}".strip()}
    hint, label = str(attrs.get("placeholder", "")).lower(), str(field.label).lower()
    if hint in label or label in hint:
        extra["placeholder"] = False  # the label already says it
    return mark_safe(field.as_widget(attrs=extra))  # noqa: S308


@register.simple_tag(takes_context=True)
def typed_by(context: template.Context) -> str:
    """The hidden field that says whose form this is, so that nothing typed is lost (`portal.typed`)."""
    request = context["request"]
    whose = typed.token(request.user.pk, acting.chosen(request))
    return format_html('<input type="hidden" name="{}" value="{}">', typed.FIELD, whose)


@register.filter
def as_region(markup: str, name: object) -> SafeString:
    """What the admin's theme made, its scrolling part under a name of its own.

    The theme's script makes a region of each such part and calls all of them the same, so that a screen reader's list
    of regions tells nobody which is which.
    """
    label = f'data-simplebar-aria-label="{escape(name)}" '
    return mark_safe(_SCROLLS.sub(lambda found: label + found[0], markup, count=1))  # noqa: S308 - a template made it


_SCROLLS = re.compile(r"\bdata-simplebar(?=[\s>])")


@register.filter
def has_class(field: BoundField, name: str) -> bool:
    """Whether the field's widget asks for that class."""
    return name in field.field.widget.attrs.get("class", "").split()
