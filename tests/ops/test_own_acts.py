"""Nobody approves their own, superusers included: each act that takes a second person, at its page and below it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from investors.models import ChangeRequest
from investors.operations import merges, ops_mandates
from orders.admin.schemes import HOLIDAY
from orders.models import BasketChange, Holiday
from orders.operations import basket_changes
from portal import clock, role_changes, roles
from portal.admin.acts import Act, By, perform
from portal.admin.base import OpsAdmin
from portal.desk import proposals
from portal.models import User
from tests import factories
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db


def _asked(me: User) -> dict[str, Any]:
    return {"actor": me, "reason": "Asked by the desk", "at": clock.now()}


def _proposal(me: User) -> Any:
    values = {"before": None, "after": {"on": "2027-01-15", "name": "Elections"}}
    return proposals.ask(act=HOLIDAY, subject=Holiday(), title="Add a holiday", **values, **_asked(me))


def _role(me: User) -> Any:
    return role_changes.ask(user=factories.UserFactory(), role=roles.MAKER, give=True, **_asked(me))


def _merge(me: User) -> Any:
    return merges.ask(kept=factories.ReadyInvestorFactory(), gone=factories.InvestorFactory(), **_asked(me))


def _change(me: User) -> Any:
    investor = factories.ReadyInvestorFactory(user=me)
    consent = factories.ConsentFactory(investor=investor)
    return factories.ChangeRequestFactory(
        investor=investor, asked_by=me, state=ChangeRequest.State.CHECKING, consent=consent
    )


def _kyc(me: User) -> Any:
    return factories.KycRequestFactory(state="PENDING", submitted_at=clock.now(), approved_at=None, resent_by=me)


def _mandate(me: User) -> Any:
    mandate = factories.MandateFactory(state="APPROVED")
    ops_mandates.want_cancelled(mandate_id=mandate.pk, **_asked(me))
    return mandate


def _version(me: User) -> Any:
    return factories.BasketConstituentFactory(weight_bp=10_000, version__drafted_by=me).version


def _words(me: User) -> Any:
    basket = factories.BasketFactory()
    words = {name: getattr(basket, name) for name in ("rationale", "risk", "benchmark", "logo")}
    change = BasketChange(basket=basket, name="Another name", why="Clearer.", **words)
    return basket_changes.ask(change=change, actor=me, at=clock.now())


def _cheque(me: User) -> Any:
    account = factories.ReadyInvestorFactory(user=me).bankaccounts.get()
    account.cancelled_cheque, account.verified = factories.DocumentFactory(investor=account.investor), ""
    account.save()
    return account


def _settled(*, asked_by: User, investor: Any) -> Any:
    """What the broker's book shows of a share order that nobody told the end of."""
    order = factories.BasketOrderFactory(broker="5paisa", state="HANDED_OVER", investor=investor)
    since = clock.now() - timedelta(days=1)
    line = factories.StockOrderFactory(basket_order=order, attempt="UNKNOWN", attempt_no=1, unknown_since=since)
    factories.ShareSettlementFactory(stock_order=line, investor=investor, asked_by=asked_by)
    return line


def _settlement(me: User) -> Any:
    return _settled(asked_by=me, investor=factories.ReadyInvestorFactory())


def _own_share(me: User) -> Any:
    return _settled(asked_by=factories.UserFactory(), investor=factories.ReadyInvestorFactory(user=me))


OWN = {
    "approve a proposal": (_proposal, "approve"),
    "refuse a proposal": (_proposal, "refuse"),
    "approve a role": (_role, "approve"),
    "approve a merge": (_merge, "approve"),
    "approve a change of details": (_change, "approve"),
    "refuse a change of details": (_change, "refuse"),
    "approve a fresh KYC": (_kyc, "approve"),
    "cancel a mandate": (_mandate, "approve-cancel"),
    "publish a version": (_version, "publish"),
    "approve other words": (_words, "approve"),
    "say that a cheque fits": (_cheque, "cheque-fits"),
    "settle a share": (_settlement, "approve-settlement"),
    "settle a share of one's own": (_own_share, "approve-settlement"),
}


def _superuser() -> User:
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.mark.parametrize("what", OWN)
def test_a_superuser_does_not_decide_on_their_own_and_another_one_may(what):
    make, act = OWN[what]
    me, other = _superuser(), _superuser()
    row = make(me)
    before = type(row).objects.filter(pk=row.pk).values().get()
    mine, theirs = Client(), Client()
    mine.force_login(me)
    theirs.force_login(other)
    assert mine.get(act_url(row, act)).status_code == 403
    assert mine.post(act_url(row, act), {"reason": "I trust myself"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).values().get() == before
    assert theirs.get(act_url(row, act)).status_code == 200, "the act itself is possible"


# Below the page the first two are the withdrawal of whoever asked; cheques and shares have their own tests.
BELOW = sorted(
    set(OWN) - {"refuse a proposal", "refuse a change of details", "settle a share", "settle a share of one's own"}
)


@pytest.mark.parametrize("what", BELOW)
def test_the_operation_below_the_page_refuses_the_same(what):
    """What the button runs, without the page in front of it."""
    make, name = OWN[what]
    me = _superuser()
    row = make(me)
    page: Any = admin.site._registry[type(row)]
    act = next(each for each in page.acts if each.name == name)
    state = type(row).objects.filter(pk=row.pk).values().get()
    done, words = perform(act, row, By(actor=me, reason="I trust myself", at=clock.now()))
    assert not done, words
    assert type(row).objects.filter(pk=row.pk).values().get() == state


def test_no_act_that_approves_is_without_its_second_person():
    """Whatever page comes next: an act with an approver's right names who may not do it."""
    anybody = Act(name="", label="", permission="", explain="")
    found = {
        (model._meta.label_lower, act.name)
        for model, page in admin.site._registry.items()
        if isinstance(page, OpsAdmin)
        for act in page.acts
        if isinstance(act.permission, str) and ".approve_" in act.permission
        if act.not_by is anybody.not_by and act.only_by is None
    }
    # To say no to what oneself asked for is to withdraw it: nothing changes.
    assert found == {("orders.basketchange", "decline"), ("orders.stockorder", "decline-settlement")}
