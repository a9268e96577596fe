"""What may not be said to investors (screens.md O-22): found wherever staff write to them, with its rule."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import pytest
from django.urls import reverse

from investors import case_words, kyc_reasons
from investors.admin.cases import AnswerForm
from orders.models import Basket, BasketChange, BasketVersion
from portal import fair_words, roles
from portal.desk import wordings
from portal.models import Proposal
from portal.notices import catalogue
from tests import factories
from tests.ops.test_roles import act_url
from tests.ops.test_words_as_data import propose

RULES = fair_words.rules()
TODAY = date(2026, 11, 23)
PROMISE = "Guaranteed growth: 15% every year."


def said(text: str) -> list[str]:
    return [each.words for each in fair_words.unfair(text, on=TODAY)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.example)
def test_each_rule_finds_its_example_and_names_its_source(rule):
    found = [each for each in fair_words.unfair(rule.example, on=TODAY) if each.rule == rule]
    assert found
    assert rule.source in str(found[0])
    assert rule.why in str(found[0])
    assert fair_words.unfair(rule.example, on=rule.checked_from - timedelta(days=1)) == []


def test_each_row_of_the_table_is_whole():
    assert {len(row) for row in csv.reader(fair_words.FILE.read_text(encoding="utf-8").splitlines())} == {6}


@pytest.mark.parametrize(
    "text",
    [
        "Returns are not guaranteed.",
        "Nobody guarantees a return, and past performance may not be sustained.",
        "Mutual Fund investments are subject to market risks, read all scheme related documents carefully.",
        "A fixed income fund. It is not risk-free; there is no risk-free investment.",
        "Your bank will return ₹5,000 within five days.",
        "We are no investment advisers, and this is not advice.",
        "You must confirm the order with a code.",
        "The fund house bought back shares of the best-known banks.",
        "You should hold the paper ready. We suggest that you call your bank.",
        "The exchange guaranteeth nothing.",
    ],
)
def test_what_is_fair_is_left_alone(text):
    assert said(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "GUARANTEED gains",
        "guar\u200banteed gains",
        "\uff27uaranteed gains",
        "Risk\u2011free gains",
        "risk\n  free gains",
        "This is not all. Guaranteed gains!",
        "Not guaranteed at first, guaranteed later",
    ],
)
def test_spelling_it_otherwise_does_not_help(text):
    assert said(text)


def test_what_the_house_says_by_itself_is_fair():
    texts = [
        getattr(entry, part)
        for entries in (catalogue.everything(), kyc_reasons.REASONS.values(), case_words.KINDS.values())
        for entry in entries
        for part in wordings.parts_of(entry)
    ]
    assert len(texts) > 150
    assert {text: found for text in texts if (found := said(text))} == {}


# --- The forms --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_words_of_a_notice_that_promise_are_refused_with_the_rule(as_role):
    answer = propose(as_role(roles.MAKER), "notice/order.paid/title", PROMISE)
    text = answer.content.decode()
    assert "“guaranteed” cannot be said to investors. It promises a result." in text
    assert "AMFI code of conduct for intermediaries" in text
    assert not Proposal.objects.exists()


@pytest.mark.django_db
def test_an_answer_to_a_case_that_advises_is_refused():

    form = AnswerForm({"reason": "You should sell before March.", "form_ref": "A" * 20})
    assert not form.is_valid()
    assert "which takes a registration" in str(form.errors["reason"])
    assert AnswerForm({"reason": "The order was placed today.", "form_ref": "A" * 20}).is_valid()


@pytest.mark.django_db
def test_a_basket_is_not_praised(as_role):
    client = as_role(roles.MAKER)
    new = {"name": "Sure-shot gains", "slug": "sure", "rationale": "The best stocks.", "risk": "HIGH", "benchmark": ""}
    answer = client.post(reverse("admin:orders_basket_add"), new)
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == {"name", "rationale"}
    assert not Basket.objects.exists()
    basket = factories.BasketFactory()
    asked = {"basket": basket.pk, "name": "Two", "rationale": "No risk at all.", "risk": "HIGH", "why": "x" * 9}
    answer = client.post(reverse("admin:orders_basketchange_add"), asked)
    assert set(answer.context["adminform"].form.errors) == {"rationale"}
    assert not BasketChange.objects.exists()
    answer = client.post(act_url(basket, "draft"), {"reason": "Now is a good time to buy."})
    assert answer.status_code == 422
    assert not BasketVersion.objects.filter(basket=basket, change_note__contains="good time").exists()
