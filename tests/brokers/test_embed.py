"""The Invest button on a partner's site: bound to its origin, its basket's version and its day."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core import signing
from django.core.management import call_command
from django.urls import reverse

from brokers import embeds
from orders.models import BasketVersion
from orders.operations import baskets
from portal import clock
from portal.models import Partner
from portal.scope import NONE, scope
from tests import factories

pytestmark = pytest.mark.django_db
HOME = "https://advisor.example"


@pytest.fixture
def partner():
    return Partner.objects.create(code="ADV", name="An adviser", origins=[HOME, "https://b.example; script-src *"])


@pytest.fixture
def version() -> BasketVersion:
    draft = factories.BasketVersionFactory(basket__slug="three", basket__name="Three of them", number=1)
    share = factories.SecurityFactory(last_price=Decimal(100), priced_at=clock.now())
    factories.BasketConstituentFactory(version=draft, security=share, weight_bp=10_000)
    return baskets.publish(version_id=draft.pk, actor=factories.UserFactory(), at=clock.now())


def token_of(partner, at=None):
    return embeds.token(partner=partner, origin=HOME, slug="three", at=at or clock.now())


def framed(client, token):
    with scope(NONE):
        return client.get(reverse("brokers:embed_frame"), {"token": token})


def policy(answer) -> dict[str, str]:
    rules = (rule.strip().split(" ", 1) for rule in answer["Content-Security-Policy"].split(";"))
    return {name: rest[0] if rest else "" for name, *rest in rules}


def test_the_page_may_be_framed_by_the_origin_of_its_token_and_by_nobody_else(client, partner, version):
    answer = framed(client, token_of(partner))
    assert answer.status_code == 200
    assert policy(answer)["frame-ancestors"] == HOME
    assert "X-Frame-Options" not in answer
    page = answer.content.decode()
    assert "Three of them" in page
    assert "₹100" in page
    assert "/embed/go/?token=" in page


def test_the_frame_shows_nothing_of_whoever_is_signed_in(asha, client_for, partner, version):
    page = framed(client_for(asha), token_of(partner)).content.decode()
    assert "Asha" not in page
    assert "asha@" not in page
    assert "<form" not in page


def test_the_link_leads_to_our_own_page_which_nobody_may_frame(asha, client_for, partner, version):
    browser = client_for(asha)
    answer = browser.get(reverse("brokers:go_embedded"), {"token": token_of(partner)}, follow=True)
    assert answer.redirect_chain[-1][0] == "/baskets/three/invest/"
    assert answer["X-Frame-Options"] == "DENY"
    assert policy(answer)["frame-ancestors"] == "'none'"


def _forged(partner):
    said = {"p": partner.code, "o": HOME, "b": "three", "v": 1, "u": 9e12}
    return signing.dumps(said, salt="another purpose")


def _changed(partner):
    return "x" + token_of(partner)


def _expired(partner):
    return token_of(partner, clock.now() - embeds.GOOD_FOR - timedelta(seconds=1))


def _origin_taken_off(partner):
    token = token_of(partner)
    Partner.objects.update(origins=[])
    return token


def _partner_gone(partner):
    token = token_of(partner)
    Partner.objects.update(is_active=False)
    return token


@pytest.mark.parametrize("spoilt", [_forged, _changed, _expired, _origin_taken_off, _partner_gone])
def test_a_token_that_does_not_hold_is_refused_and_never_framed(client, partner, version, spoilt):
    token = spoilt(partner)
    answer = framed(client, token)
    assert answer.status_code == 404
    assert answer["X-Frame-Options"] == "DENY"
    assert "Three of them" not in answer.content.decode()
    assert client.get(reverse("brokers:go_embedded"), {"token": token})["Location"] == "/baskets/"


def test_an_archived_basket_ends_its_buttons(client, dev, partner, version):
    token = token_of(partner)
    baskets.archive(basket_id=version.basket_id, actor=dev, reason="over", at=clock.now())
    assert framed(client, token).status_code == 404


def test_a_button_of_an_older_version_says_so(asha, client_for, partner, version, dev):
    token = token_of(partner)
    draft = baskets.copy_version(basket_id=version.basket_id, note="again", actor=dev, at=clock.now())
    baskets.publish(version_id=draft.pk, actor=factories.UserFactory(), at=clock.now())
    assert "made for version 1" in framed(client_for(asha), token).content.decode()
    page = client_for(asha).get(reverse("brokers:go_embedded"), {"token": token}, follow=True).content.decode()
    assert "made for version 1" in page


@pytest.mark.parametrize("origin", ["https://evil.example", "https://b.example; script-src *"])
def test_no_token_is_made_for_a_site_that_is_not_the_partner_s_or_no_origin(partner, version, origin):
    with pytest.raises(embeds.NotGood):
        embeds.token(partner=partner, origin=origin, slug="three", at=clock.now())


def test_the_command_prints_a_tag_and_a_link_that_work(client, partner, version):
    out = StringIO()
    call_command("embed_code", "ADV", HOME, "three", stdout=out)
    tag, link, _ = out.getvalue().splitlines()
    assert tag.startswith("<script src=")
    token = link.partition("token=")[2]
    assert f'data-token="{token}"' in tag
    assert framed(client, token).status_code == 200


def test_the_script_is_for_every_site_and_knows_nobody(client):
    answer = client.get(reverse("brokers:embed_script"))
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer
    assert "sessionid" not in answer.cookies
