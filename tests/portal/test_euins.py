"""How long an EUIN is good: who hears of its end, what stops outside its days, what goes on (screens.md F78)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from investors.models import Invite
from investors.operations import invites
from orders.gateway import OrderSnapshot
from orders.models import MfOrder
from orders.operations import instalments
from portal import clock, euins, roles
from portal.errors import InvalidInput
from portal.models import AuditEntry, Case, Euin
from tests import factories
from tests.api.conftest import caller_of

pytestmark = pytest.mark.django_db
NUMBER = "E123456"
DAY = timedelta(days=1)


@pytest.fixture
def kept(db: None) -> Euin:
    """Good from a year ago until today."""
    today = clock.today()
    return Euin.objects.create(number=NUMBER, holder="Meera Iyer", good_from=today - 365 * DAY, good_until=today)


def end(euin: Euin, *, days_ago: int = 1) -> None:
    Euin.objects.filter(pk=euin.pk).update(good_until=clock.today() - days_ago * DAY)


def test_operations_have_one_case_from_sixty_days_before_until_it_is_renewed(kept: Euin) -> None:
    until = f"{kept.good_until:%-d %b %Y}"
    counts = [euins.watch(at=clock.now() + days * DAY) for days in (-61, -60, -1, 0, 1)]
    assert counts == [0, 1, 1, 1, 1]
    case = Case.objects.get()
    assert (case.kind, case.title) == (euins.CASE, f"The EUIN E123456 of Meera Iyer (ours) is good until {until}")
    end(kept, days_ago=-1000)
    euins.watch(at=clock.now())
    assert Case.objects.get().state == "CLOSED"


def test_nobody_watches_the_number_of_a_firm_that_we_work_with_no_more(kept: Euin) -> None:
    kept.partner = factories.PartnerFactory(is_active=False)
    kept.save()
    assert euins.watch(at=clock.now()) == 0


GIVEN: dict[str, Any] = {"email": "a@portal.example", "name": "", "filled": {}, "basis": "Asked", "actor": "test"}


def test_its_last_good_day_is_good_and_from_the_next_on_nobody_is_invited_under_it(kept: Euin) -> None:
    firm = factories.PartnerFactory()
    row = invites.invite(**GIVEN, partner=firm, euin=NUMBER, at=clock.now())
    with pytest.raises(InvalidInput, match="E123456 ended on"):
        invites.resend(invite_id=row.pk, actor="test", reason="", at=clock.now() + DAY)
    row.delete()
    with pytest.raises(InvalidInput, match="E123456 ended on"):
        invites.invite(**GIVEN, partner=firm, euin=NUMBER, at=clock.now() + DAY)
    with pytest.raises(InvalidInput, match="E123456 begins on"):
        invites.invite(**GIVEN, partner=firm, euin=NUMBER, at=clock.now() - 366 * DAY)
    assert not Invite.objects.exists()
    assert invites.invite(**GIVEN, partner=firm, euin="E999999", at=clock.now()).pk, "nobody watches that one"


@pytest.mark.parametrize("door", ["console", "api", "admin"])
def test_every_door_refuses_it_at_its_field(kept: Euin, client_for: Any, door: str) -> None:
    end(kept)
    said = DOORS[door](client_for)
    assert "E123456 ended on" in said
    assert not Invite.objects.exists()


def _console(client_for: Any) -> str:
    member = factories.MemberFactory()
    typed = {"email": "new@example.com", "name": "", "mobile": "", "euin": NUMBER, "basis": "asked me"}
    page = client_for(member.user).post(reverse("console:invite"), typed, follow=True)
    return str(page.context["form"].errors["euin"])


def _api(client_for: Any) -> str:
    answer = caller_of(factories.PartnerFactory()).post(
        "invites", {"email": "new@example.com", "euin": NUMBER, "basis": "asked me"}
    )
    assert answer.status_code == 422
    return answer.content.decode()


def _admin(client_for: Any) -> str:
    person = factories.UserFactory()
    roles.grant(person, roles.MAKER)
    form = {"email": "new@example.com", "name": "Asha Rao", "euin": NUMBER, "basis": "Asked on the phone"}
    page = client_for(person).post(reverse("admin:investors_invite_add"), form)
    return str(page.context["adminform"].form.errors["euin"])


DOORS = {"console": _console, "api": _api, "admin": _admin}


def test_no_order_and_no_sip_names_one_outside_its_days(kept: Euin, asha: Any) -> None:
    good = {"euin": NUMBER, "is_execution_only": False}
    order = factories.OrderFactory(investor=asha, placed_at=clock.now(), state="PLACED", **good)
    plan = factories.PlanFactory(investor=asha, placed_at=clock.now(), euin=NUMBER)
    later = clock.now() + DAY
    for row in (order, plan):
        with pytest.raises(IntegrityError, match="EUIN is not good on the day"), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(placed_at=later)
    end(kept)
    with pytest.raises(IntegrityError, match="EUIN is not good on the day"), transaction.atomic():
        factories.OrderFactory(investor=asha, placed_at=clock.now(), **good)
    with pytest.raises(IntegrityError, match="EUIN is not good on the day"), transaction.atomic():
        factories.OrderFactory(investor=asha, placed_at=clock.now(), euin="E999999", is_execution_only=False)
    assert MfOrder.objects.filter(pk=order.pk).update(looks=1), "what was named in time goes on"


@pytest.mark.parametrize(("days_ago", "named"), [(0, NUMBER), (1, "")])
def test_an_instalment_of_a_sip_names_it_while_it_is_good(kept: Euin, asha: Any, days_ago: int, named: str) -> None:
    plan = factories.PlanFactory(investor=asha, placed_at=clock.now() - 30 * DAY, euin=NUMBER)
    end(kept, days_ago=days_ago)
    said = OrderSnapshot("777", None, "AWAITING_PAYMENT", "PENDING", plan.amount, invested_on=clock.today())
    order = instalments._order_of(plan, said, clock.now(), frozenset())
    assert (order.euin, order.is_execution_only) == (named, not named)
    order.save()


def test_an_administrator_enters_its_days_and_it_stands_in_the_audit_log(client_for: Any) -> None:
    person = factories.UserFactory()
    roles.grant(person, roles.ADMIN)
    form = {"number": NUMBER, "holder": "Meera Iyer", "good_from": "2026-01-01", "good_until": "2028-12-31"}
    browser, page = client_for(person), reverse("admin:portal_euin_add")
    assert browser.post(page, form).status_code == 302
    assert AuditEntry.objects.filter(action="euin.added").exists()
    for wrong in ({"number": "123"}, {"number": "E654321", "good_until": "2025-12-31"}):
        assert browser.post(page, form | wrong).status_code == 200
    assert Euin.objects.count() == 1


def test_others_may_look_and_not_change(client_for: Any) -> None:
    person = factories.UserFactory()
    roles.grant(person, roles.VIEWER)
    browser = client_for(person)
    assert browser.get(reverse("admin:portal_euin_changelist")).status_code == 200
    assert browser.post(reverse("admin:portal_euin_add"), {}).status_code == 403
