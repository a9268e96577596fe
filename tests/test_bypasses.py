"""Nothing is bought, sold, mandated or changed without its own fresh code (reliability.md P30): ways around it, none of
which works. Each way is tried at each door through which money or its paths go.

Parallel guesses need real transactions and stand in `tests/investors/test_consents.py`; what the database refuses by
itself stands in `tests/orders/test_authority.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from investors.models import ChangeRequest, Consent, Investor, Mandate
from orders.models import MfOrder
from portal import clock, identifiers
from tests import factories
from tests.investors.applying import BANK
from tests.orders.conftest import scheme  # noqa: F401 - a real scheme of the sandbox

pytestmark = pytest.mark.django_db
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


# --- the doors --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """What asks for a code: the page that asks, what is typed there, and what must not come of it."""

    name: str
    ask: Callable[[Scene], tuple[str, dict[str, Any]]]
    done: Callable[[Investor], int]
    # What somebody would like to smuggle in beside the code.
    smuggled: dict[str, str]


def _purchase(scene: Scene) -> tuple[str, dict[str, Any]]:
    account = scene.asha.bankaccounts.get(is_primary=True)
    return reverse("orders:buy", args=[scene.isin]), {
        "amount": "5000", "bank_account": account.code, "payment_method": "UPI",
    }  # fmt: skip


def _sale(scene: Scene) -> tuple[str, dict[str, Any]]:
    return reverse("orders:sell", args=[scene.holding.scheme.isin]), {
        "folio": scene.holding.folio.number, "by": "units", "units": "12.5",
    }  # fmt: skip


def _mandate(scene: Scene) -> tuple[str, dict[str, Any]]:
    account = scene.asha.bankaccounts.get(is_primary=True)
    return reverse("investors:mandate_new"), {"limit": "25000", "kind": "E_MANDATE", "bank_account": account.code}


def _bank(scene: Scene) -> tuple[str, dict[str, Any]]:
    number = "60100099981121"
    return reverse("investors:bank_add"), {**BANK, "number": number, "number_again": number}


# Asking again withdraws what was asked before and never confirmed.
NOT_CONFIRMED = ("ASKED", "WITHDRAWN")


def _set_going(who: Investor) -> int:
    return ChangeRequest.objects.filter(investor=who).exclude(state__in=NOT_CONFIRMED).count()


DOORS = (
    Door("purchase", _purchase, lambda who: MfOrder.objects.filter(investor=who, kind="PURCHASE").count(),
         {"amount": "900000", "isin": "INF000000000", "bank_account": "x"}),
    Door("sale", _sale, lambda who: MfOrder.objects.filter(investor=who, kind="REDEMPTION").count(),
         {"units": "100", "all": "on", "folio": "1/2"}),
    Door("mandate", _mandate, lambda who: Mandate.objects.filter(investor=who).count(), {"limit": "9000000"}),
    Door("bank account", _bank, _set_going,
         {"number": "70100099981121"}),
)  # fmt: skip


@dataclass
class Scene:
    """Asha has asked for something and has the code; what happens next is the way around."""

    asha: Investor
    chitra: Investor
    isin: str
    holding: Any
    browser: Client
    client_for: Callable[..., Client]
    commit: Callable[..., Any]
    at: Callable[..., Any]
    door: Door = DOORS[0]
    url: str = ""
    code: str = ""
    form: dict[str, Any] | None = None

    def asked(self, door: Door, **changes: Any) -> tuple[str, str]:
        """A form of this door is sent: (the page that takes the code, the code)."""
        address, form = door.ask(self)
        self.form = {"form_ref": identifiers.new_client_ref(), **form, **changes}
        before = len(mail.outbox)
        with self.commit(execute=True):
            answer = self.browser.post(address, self.form)
        assert answer.status_code == 302, answer.get("Location")
        assert len(mail.outbox) > before, "no code was sent"
        found = re.search(r"^\s+(\d{6})\s*$", mail.outbox[-1].body, re.MULTILINE)
        assert found
        return answer["Location"], found[1]

    def wrong(self) -> str:
        """A code that is not the right one."""
        return f"{(int(self.code) + 1) % 1_000_000:06d}"

    def send(self, browser: Client | None = None, **form: Any) -> Any:
        """The page that takes the code gets this, and the way back to it is walked."""
        with self.commit(execute=True):
            return (browser or self.browser).post(self.url, form)


@pytest.fixture
def scene(
    asha: Investor, chitra: Investor, scheme: Any, sandbox: Any, client_for: Any, at: Any,  # noqa: F811
    django_capture_on_commit_callbacks: Any,
) -> Scene:  # fmt: skip
    holding = factories.HoldingFactory(investor=asha, units=Decimal("100.000"), invested=Decimal("4000.00"))
    return Scene(
        asha, chitra, scheme.isin, holding, client_for(asha), client_for, django_capture_on_commit_callbacks, at
    )


# --- the ways around --------------------------------------------------------------------------------------------


def no_code(scene: Scene) -> None:
    scene.send()


def an_empty_code(scene: Scene) -> None:
    scene.send(otp="")


def words_for_a_code(scene: Scene) -> None:
    for word in ("null", "true", "false", "[]", "{}", "undefined", "NaN", "0", "-1", "%", "*", "' OR 1=1--"):
        scene.send(otp=word)


def a_list(scene: Scene) -> None:
    scene.send(**{"otp[]": scene.code, "otp[0]": scene.code, "otp.0": scene.code})


def json_in_place_of_a_form(scene: Scene) -> None:
    for body in ({"otp": scene.code}, {"otp": True}, {"otp": None}, {"otp": [scene.code]}):
        scene.browser.post(scene.url, json.dumps(body), content_type="application/json")


def the_code_in_the_address(scene: Scene) -> None:
    scene.browser.get(scene.url, {"otp": scene.code})
    scene.browser.post(f"{scene.url}?otp={scene.code}")


def another_method(scene: Scene) -> None:
    for method in ("put", "patch", "delete"):
        getattr(scene.browser, method)(scene.url, f"otp={scene.code}")
    scene.browser.get(scene.url, headers={"X-HTTP-Method-Override": "POST"})


def a_wrong_code(scene: Scene) -> None:
    scene.send(otp=scene.wrong())


def the_digits_of_another_script(scene: Scene) -> None:
    scene.send(otp=scene.code.translate(ARABIC))
    scene.send(otp=scene.code.translate(FULL_WIDTH))


def a_code_with_more_behind_it(scene: Scene) -> None:
    for tail in ("0", "\x00", ".0", "e0", "\n1"):
        scene.send(otp=scene.code + tail)


def a_code_without_its_zeros(scene: Scene) -> None:
    scene.send(otp=str(int(scene.code))[:5])


def the_sixth_try(scene: Scene) -> None:
    for _ in range(5):
        scene.send(otp=scene.wrong())
    scene.send(otp=scene.code)


def the_code_after_ten_minutes(scene: Scene) -> None:
    scene.at(clock.now() + timedelta(minutes=10, seconds=1))
    scene.browser = scene.client_for(scene.asha)
    scene.send(otp=scene.code)


def the_code_before_the_newest(scene: Scene) -> None:
    consent = Consent.objects.get(investor=scene.asha)
    from investors.operations import consents

    with scene.commit(execute=True):
        consents.resend(consent=consent, at=clock.now())
    newer = re.search(r"^\s+(\d{6})\s*$", mail.outbox[-1].body, re.MULTILINE)
    assert newer
    if newer[1] != scene.code:
        scene.send(otp=scene.code)


def the_code_of_the_same_form_with_other_contents(scene: Scene) -> None:
    """What was shown changes after the code was sent: the old code is worth nothing for the new contents."""
    changed = {"purchase": {"amount": "6000"}, "sale": {"units": "99"}, "mandate": {"limit": "99000"}}
    old, form = scene.code, dict(scene.form or {})
    swap = changed.get(scene.door.name, {"number": "60100099971121", "number_again": "60100099971121"})
    before = len(mail.outbox)
    with scene.commit(execute=True):
        scene.browser.post(scene.door.ask(scene)[0], {**form, **swap})
    if len(mail.outbox) == before or old not in mail.outbox[-1].body:
        scene.send(otp=old)


def the_code_of_another_form(scene: Scene) -> None:
    mine, first = scene.url, scene.code
    other, second = scene.asked(scene.door)
    scene.url = mine
    if second != first and other != mine:
        scene.send(otp=second)


def the_code_of_another_door(scene: Scene) -> None:
    mine = scene.url
    for door in DOORS:
        if door is not scene.door:
            _, code = scene.asked(door)
            if code != scene.code:
                scene.url = mine
                scene.send(otp=code)


def the_code_at_another_door(scene: Scene) -> None:
    code = scene.url.rstrip("/").rpartition("/")[2]
    for name in ("orders:confirm", "orders:confirm_sale", "investors:bank_confirm", "investors:mandate_confirm"):
        address = reverse(name, args=[code])
        if address != scene.url:
            scene.browser.post(address, {"otp": scene.code})


def somebody_else_with_the_code(scene: Scene) -> None:
    scene.send(scene.client_for(scene.chitra), otp=scene.code)


def staff_with_the_code(scene: Scene) -> None:
    ops = factories.UserFactory(is_staff=True, is_superuser=True)
    scene.send(scene.client_for(ops), otp=scene.code)


def nobody_with_the_code(scene: Scene) -> None:
    scene.send(Client(), otp=scene.code)


def a_session_that_has_ended(scene: Scene) -> None:
    cookies = scene.browser.cookies.copy()
    scene.browser.post(reverse("account_logout"))
    scene.browser.cookies = cookies
    scene.send(otp=scene.code)


def a_session_from_before_the_new_password(scene: Scene) -> None:
    scene.asha.user.set_password("something new and long enough")
    scene.asha.user.save()
    scene.send(otp=scene.code)


def a_forged_form_of_another_site(scene: Scene) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = scene.browser.cookies
    scene.send(strict, otp=scene.code)


def a_confirmation_that_was_never_asked_for(scene: Scene) -> None:
    before, _, _ = scene.url.rstrip("/").rpartition("/")
    for code in ("CNS00000000", "1", "0", "null"):
        scene.browser.post(f"{before}/{code}/", {"otp": scene.code})


def what_was_shown_changed_in_the_database(scene: Scene) -> None:
    Consent.objects.filter(investor=scene.asha).update(shown={"Buy": "something else"})
    scene.send(otp=scene.code)


def the_flag_set_by_hand(scene: Scene) -> None:
    scene.send(given_at="2026-01-01", given="on", confirmed="true", otp_hash="x", tries="-5", state="GIVEN")


WAYS = (
    no_code, an_empty_code, words_for_a_code, a_list, json_in_place_of_a_form, the_code_in_the_address, another_method,
    a_wrong_code, the_digits_of_another_script, a_code_with_more_behind_it, a_code_without_its_zeros, the_sixth_try,
    the_code_after_ten_minutes, the_code_before_the_newest, the_code_of_the_same_form_with_other_contents,
    the_code_of_another_form, the_code_of_another_door, the_code_at_another_door, somebody_else_with_the_code,
    staff_with_the_code, nobody_with_the_code, a_session_that_has_ended, a_session_from_before_the_new_password,
    a_forged_form_of_another_site, a_confirmation_that_was_never_asked_for, what_was_shown_changed_in_the_database,
    the_flag_set_by_hand,
)  # fmt: skip


def test_there_are_at_least_twenty_five_ways() -> None:
    assert len(WAYS) >= 25


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_way_leads_around_the_code(way: Callable[[Scene], None], door: Door, scene: Scene) -> None:
    scene.door = door
    scene.url, scene.code = scene.asked(door)
    way(scene)
    assert door.done(scene.asha) == 0
    assert door.done(scene.chitra) == 0


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_with_the_code_it_is_done_once_as_it_was_shown(door: Door, scene: Scene) -> None:
    """The ways above would show nothing if this did not work; here what is smuggled in and replayed changes nothing."""
    scene.door = door
    scene.url, scene.code = scene.asked(door)
    for _ in range(3):
        scene.send(otp=scene.code, **door.smuggled)
    assert door.done(scene.asha) == 1
    order = MfOrder.objects.first()
    assert order is None or (order.amount, order.units) in ((Decimal(5000), None), (None, Decimal("12.500")))
    assert all(mandate.limit == 25_000 for mandate in Mandate.objects.all())
