"""Words and logo of a basket: edited while it is a draft, changed by two people once investors read them."""

from __future__ import annotations

import io

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image

from orders import lifecycle
from orders.models import Basket, BasketChange, BasketLogo
from orders.operations import basket_changes, baskets
from portal import audit, clock, roles
from portal.errors import Failure
from tests import factories

pytestmark = pytest.mark.django_db


def png(side: int = 64, colour: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def basket() -> Basket:
    return factories.BasketFactory(slug="two", name="Two of them", rationale="They make things.")


def wanted(basket, actor, **words) -> BasketChange:
    now = {name: getattr(basket, name) for name in ("name", "rationale", "risk", "benchmark", "logo")}
    change = BasketChange(basket=basket, why="Clearer.", **(now | words))
    return basket_changes.ask(change=change, actor=actor, at=clock.now())


def decide(change, actor, *, approved=True):
    return basket_changes.decide(
        change_id=change.pk, approved=approved, actor=actor, reason="looked at it", at=clock.now()
    )


def test_investors_read_the_new_words_once_a_second_person_approved_them(client, dev, basket):
    change = wanted(basket, dev, rationale="They make useful things.")
    basket.refresh_from_db()
    assert basket.rationale == "They make things."
    decide(change, factories.UserFactory())
    basket.refresh_from_db()
    assert basket.rationale == "They make useful things."
    assert [each.action for each in audit.entries_of(basket)] == ["basket.change_asked", "basket.changed"]


def test_nobody_approves_their_own_words_and_the_database_holds_that_too(dev, basket):
    change = wanted(basket, dev, name="Three of them")
    with pytest.raises(basket_changes.SecondPerson):
        decide(change, dev)
    with pytest.raises(IntegrityError), transaction.atomic():
        BasketChange.objects.update(state="APPROVED", decided_by=dev, decided_at=clock.now())


def test_declined_words_change_nothing_and_make_room_for_others(dev, basket):
    decide(wanted(basket, dev, name="Bad"), factories.UserFactory(), approved=False)
    basket.refresh_from_db()
    assert basket.name == "Two of them"
    with pytest.raises(IntegrityError), transaction.atomic():
        wanted(basket, dev, name="One")
        wanted(basket, dev, name="Other")


@pytest.mark.parametrize("field", ["name", "rationale", "benchmark"])
def test_the_database_refuses_words_that_nobody_approved(basket, field):
    with pytest.raises(IntegrityError), transaction.atomic():
        Basket.objects.filter(pk=basket.pk).update(**{field: "slipped in"})


def test_a_draft_is_edited_freely_and_its_author_does_not_publish_it(dev):
    draft = factories.BasketFactory(state=lifecycle.DRAFT)
    Basket.objects.filter(pk=draft.pk).update(name="Better")
    version = factories.BasketVersionFactory(basket=draft, number=1)
    factories.BasketConstituentFactory(version=version, weight_bp=10_000)
    audit.record(draft, "basket.changed", actor=dev, at=clock.now())
    with pytest.raises(baskets.SecondPersonNeeded):
        baskets.publish(version_id=version.pk, actor=dev, at=clock.now())


# --- the logo ---------------------------------------------------------------------------------------------------


def test_a_logo_is_drawn_anew_kept_once_and_served_for_ever(client, dev, basket):
    logo = basket_changes.keep_logo(name="logo.png", data=png(), at=clock.now())
    assert basket_changes.keep_logo(name="again.png", data=png(), at=clock.now()) == logo
    decide(wanted(basket, dev, logo=logo), factories.UserFactory())
    answer = client.get(reverse("orders:basket_logo", args=[logo.digest]))
    assert (answer["Content-Type"], answer.content[:4]) == ("image/png", b"\x89PNG")
    assert "immutable" in answer["Cache-Control"]
    with pytest.raises(IntegrityError), transaction.atomic():
        BasketLogo.objects.update(content=b"another")


@pytest.mark.parametrize(
    ("name", "data"),
    [("logo.png", b"<svg onload=alert(1)>"), ("logo.png", png() + b"PK\x03\x04zip"), ("logo.jpg", png())],
)
def test_what_is_no_plain_picture_is_no_logo(name, data):
    with pytest.raises(Failure):
        basket_changes.keep_logo(name=name, data=data, at=clock.now())


# --- the desk ---------------------------------------------------------------------------------------------------


def test_the_maker_asks_and_the_checker_approves_on_their_pages(client, basket):
    maker, checker = factories.UserFactory(), factories.UserFactory()
    roles.grant(maker, roles.MAKER)
    roles.grant(checker, roles.CHECKER)
    client.force_login(maker)
    page = client.get(reverse("admin:orders_basket_change", args=[basket.pk])).content.decode()
    assert "Ask for other words" in page
    add = reverse("admin:orders_basketchange_add")
    assert "They make things." in client.get(f"{add}?basket={basket.pk}").content.decode()
    logo = io.BytesIO(png())
    logo.name = "logo.png"
    form = {"basket": basket.pk, "name": "Two makers", "rationale": "They make things.", "risk": "HIGH", "why": "x" * 9}
    answer = client.post(add, {**form, "benchmark": "", "logo_file": logo})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    change = BasketChange.objects.get()
    approve = reverse("admin:orders_basketchange_act", args=[change.pk, "approve"])
    assert client.post(approve, {"reason": "I like it"}).status_code == 403
    client.force_login(checker)
    detail = client.get(reverse("admin:orders_basketchange_change", args=[change.pk])).content.decode()
    assert "Two makers" in detail
    assert client.post(approve, {"reason": "looked at it"}).status_code == 302
    basket.refresh_from_db()
    assert (basket.name, basket.risk, bool(basket.logo)) == ("Two makers", "HIGH", True)


def test_a_bad_picture_is_said_at_its_field(client, dev, basket):
    client.force_login(dev)
    bad = io.BytesIO(b"not a picture")
    bad.name = "logo.png"
    form = {"basket": basket.pk, "name": "N", "rationale": "R", "risk": "HIGH", "why": "because", "logo_file": bad}
    answer = client.post(reverse("admin:orders_basketchange_add"), form)
    assert "logo_file" in answer.context["adminform"].form.errors
    assert not BasketChange.objects.exists()
