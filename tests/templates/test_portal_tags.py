"""Numbers, dates, states and words as templates write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.html import escape

from portal.glossary import GLOSSARY
from portal.models import User
from portal.templatetags import frame
from portal.templatetags import portal_tags as tags


def render(text: str, **context: object) -> str:
    return Template("{% load portal_tags %}" + text).render(Context(context))


@pytest.mark.parametrize(
    ("filtered", "value", "expected"),
    [
        ("rupees", "123456.78", "₹1,23,456.78"),
        ("rupees", "-0.5", "−₹0.50"),
        ("whole_rupees", "5000", "₹5,000"),
        ("whole_rupees", "5000.50", "₹5,000.50"),
        ("rupees_compact", "1240000", "₹12.4 L"),
        ("rupees_compact", "5876.89", "₹5,877"),
        ("rupees_compact", "9", "₹9"),
        ("rupees_compact", "0.4", "₹0.40"),
        ("rupees_compact", "-2.84", "−₹2.84"),
        ("rupees_compact", "0.004", "₹0"),
        ("units", "1234.5", "1,234.500"),
        ("nav", "45.12345", "₹45.1235"),
        ("percent", "12.4", "+12.40%"),
        ("percent", "-3.355", "−3.36%"),
        ("signed_rupees", "0", "₹0.00"),
    ],
)
def test_a_figure_is_written_the_indian_way(filtered: str, value: str, expected: str) -> None:
    assert render("{{ value|" + filtered + " }}", value=Decimal(value)) == expected


@pytest.mark.parametrize(
    "filtered", ["rupees", "units", "nav", "percent", "gain_rupees", "gain_percent", "day", "moment"]
)
def test_nothing_is_a_dash(filtered: str) -> None:
    assert render("{{ value|" + filtered + " }}", value=None) == "–"


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        render("{{ value|rupees }}", value=1.1)


@pytest.mark.parametrize(("value", "kind"), [("0.01", "gain"), ("-0.01", "loss"), ("0.001", "flat"), ("0", "flat")])
def test_gain_and_loss_carry_sign_and_class(value: str, kind: str) -> None:
    html = render("{{ value|gain_rupees }}", value=Decimal(value))
    assert f'class="{kind}"' in html
    assert ("+₹" in html, "−₹" in html) == (kind == "gain", kind == "loss")


def test_days_and_moments_are_indian() -> None:
    late = datetime(2026, 11, 19, 19, 0, tzinfo=UTC)  # half past midnight of the 20th in India
    assert tags.day(late) == "20 Nov 2026"
    assert tags.moment(late) == "20 Nov 2026, 00:30 IST"
    assert tags.day(date(2026, 1, 2)) == "2 Jan 2026"
    assert tags.day("2028-03-31") == "31 Mar 2028"


@pytest.mark.parametrize("kind", [k for k in tags.STATES if k != "neutral"])
def test_a_state_has_icon_and_word(kind: str) -> None:
    html = render("{% state kind %}", kind=kind)
    assert f"state-{kind}" in html
    assert "<svg" in html
    assert tags.STATES[kind][1] in html


def test_a_state_word_is_escaped() -> None:
    assert "&lt;b&gt;" in render('{% state "done" word %}', word="<b>")


def test_an_unknown_state_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        render('{% state "sucess" %}')


def test_a_term_explains_itself_and_its_ids_differ() -> None:
    request = RequestFactory().get("/")
    html = render('{% glossary "NAV" %}{% glossary "exit load" text="Exit load" %}', request=request)
    assert 'popovertarget="term-1"' in html
    assert 'id="term-2"' in html
    assert escape(GLOSSARY["exit load"].meaning) in html


def test_an_unknown_term_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        render('{% glossary "alpha" %}')


def test_the_risk_meter_shows_the_word_and_its_step() -> None:
    html = render('{% risk_meter "Moderately High" %}')
    assert html.count('class="on"') == 4
    assert "Moderately high risk" in html
    assert "<b" not in render('{% risk_meter "" %}')


def test_a_browser_is_named_as_people_name_it() -> None:
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"
    phone = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
    assert tags.browser(edge) == "Edge on Windows"
    assert tags.browser(phone) == "Chrome on Android"
    assert tags.browser("") == "Unknown browser"


def test_the_longest_matching_address_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"home": "/", "orders:list": "/orders/", "orders:portfolio": None}
    monkeypatch.setattr(frame, "_address", addresses.get)
    here = frame.section(Context({"request": RequestFactory().get("/orders/17/")}))
    assert [(item["label"], item["current"]) for item in frame.navigation(here)] == [("Home", False), ("Orders", True)]
    assert frame.section(Context({"request": RequestFactory().get("/accounts/email/")})) == ""
    assert frame.section(Context({"request": RequestFactory().get("/")})) == "home"


def test_a_fixed_part_sees_no_request_and_no_person() -> None:
    context = {"request": RequestFactory().get("/"), "user": User(email="asha@portal.example"), "theme": "dark"}
    said = [
        Template(f'{{% load frame %}}{{% {tag} "base.html" %}}').render(Context(context))
        for tag in ("include", "fixed")
    ]
    assert ["asha@portal.example" in text for text in said] == [True, False]


def test_a_fixed_part_follows_its_words_and_the_brand(settings) -> None:
    page = Template('{% load frame %}{% fixed "components/_bottombar.html" section=here %}')
    orders, home = (page.render(Context({"here": here})) for here in ("orders:list", "home"))
    assert orders != home
    assert orders == page.render(Context({"here": "orders:list"}))
    footer = Template('{% load frame %}{% fixed "components/_footer.html" %}')
    settings.BRAND = {**settings.BRAND, "arn": "ARN-<1>"}
    assert "ARN-&lt;1&gt;" in footer.render(Context())
