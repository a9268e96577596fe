"""Acts: a confirmation page, a mandatory reason, one operation, an audit entry with the actor; never a broken page."""

from __future__ import annotations

import re

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from orders.operations import sending
from portal import clock, gates, roles
from portal.attempts import ATTEMPT_FIELDS
from portal.gateway import errors
from portal.models import AuditEntry, Gate, InboundEvent
from tests.ops.test_roles import act_url
from tests.orders.test_unclear_outcomes import PURCHASE

pytestmark = pytest.mark.django_db
REASON = "The investor called about it"


def words(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_a_get_only_asks(as_role, desk):
    before = AuditEntry.objects.count()
    answer = as_role(roles.MAKER).get(act_url(desk.case, "close"))
    assert "The case leaves the inbox" in answer.content.decode()
    desk.case.refresh_from_db()
    assert desk.case.state == "OPEN"
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("reason", ["", "   ", "ok"])
def test_a_reason_is_mandatory_and_says_something(as_role, desk, reason):
    answer = as_role(roles.MAKER).post(act_url(desk.case, "close"), {"reason": reason})
    assert answer.status_code == 422
    desk.case.refresh_from_db()
    assert desk.case.state == "OPEN"


def test_a_post_without_the_csrf_token_does_nothing(desk, staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff(roles.MAKER))
    assert client.post(act_url(desk.case, "close"), {"reason": REASON}).status_code == 403
    desk.case.refresh_from_db()
    assert desk.case.state == "OPEN"


def test_claiming_and_closing_a_case_name_the_person_and_the_reason(as_role, desk):
    client = as_role(roles.MAKER)
    client.post(act_url(desk.case, "claim"), {"reason": REASON})
    desk.case.refresh_from_db()
    assert desk.case.owner == client.user
    client.post(act_url(desk.case, "close"), {"reason": "Found at FP, took it in"})
    desk.case.refresh_from_db()
    assert (desk.case.state, desk.case.resolution) == ("CLOSED", "Found at FP, took it in")
    acts = AuditEntry.objects.filter(subject_kind="portal.case", actor=f"user:{client.user.pk}")
    assert list(acts.order_by("id").values_list("action", "reason")) == [
        ("case.claimed", REASON),
        ("case.closed", "Found at FP, took it in"),
    ]


def test_a_closed_case_cannot_be_closed_again(as_role, desk):
    client = as_role(roles.MAKER)
    for _ in range(2):
        answer = client.post(act_url(desk.case, "close"), {"reason": REASON})
    assert "not possible in the present state" in words(answer)
    assert AuditEntry.objects.filter(action="case.closed").count() == 1


def test_the_kill_switch_closes_and_opens_with_reason_and_actor(as_role):
    client, gate = as_role(roles.ADMIN), Gate.objects.get(pk=gates.OUTBOUND_MONEY)
    client.post(act_url(gate, "close"), {"reason": "FP takes orders twice"})
    with pytest.raises(gates.GateClosed):
        gates.check()
    client.post(act_url(gate, "open"), {"reason": "FP says it is repaired"})
    gates.check()
    entries = AuditEntry.objects.filter(subject_id=gates.OUTBOUND_MONEY).order_by("id")
    assert list(entries.values_list("action", "actor", "reason")) == [
        ("gate.closed", f"user:{client.user.pk}", "FP takes orders twice"),
        ("gate.opened", f"user:{client.user.pk}", "FP says it is repaired"),
    ]


def test_working_an_event_again_starts_its_tries_afresh(as_role, desk):
    InboundEvent.objects.filter(pk=desk.event.pk).update(state="FAILED", tries=8)
    client = as_role(roles.MAKER)
    answer = client.post(act_url(desk.event, "work-again"), {"reason": REASON})
    desk.event.refresh_from_db()
    # No handler knows this kind of event: it stays to be tried again, and the person is told.
    assert (desk.event.state, desk.event.tries) == ("NEW", 1)
    assert "stays in the inbox" in words(answer)
    assert AuditEntry.objects.get(action="event.worked_again").actor == f"user:{client.user.pk}"


def test_refreshing_finds_an_order_that_was_taken_behind_an_unclear_answer(as_role, asha, place, sandbox):
    order = place(asha)
    sandbox.fault("reset", path=PURCHASE, when="after")
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert order.is_unknown
    client = as_role(roles.MAKER)
    answer = client.post(act_url(order, "refresh"), {"reason": REASON})
    assert words(answer) == "The provider was asked: awaiting payment."
    order.refresh_from_db()
    assert (order.state, order.attempt) == ("AWAITING_PAYMENT", "")
    entry = AuditEntry.objects.get(action="order.refresh_asked")
    assert (entry.actor, entry.reason) == (f"user:{client.user.pk}", REASON)
    page = client.get(reverse("admin:orders_mforder_change", args=[order.pk])).content.decode()
    assert "/orders/purchase/netbanking" in page
    assert "outcome unknown" in page


def test_refreshing_an_order_that_the_provider_does_not_know_is_words_and_no_broken_page(as_role, sandbox, asha):
    from tests import factories

    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    answer = as_role(roles.MAKER).post(act_url(order, "refresh"), {"reason": REASON})
    assert answer.status_code == 302
    assert words(answer).startswith("The provider said no: ")
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"


@pytest.mark.parametrize("what", ["order", "payment"])
def test_a_provider_that_cannot_be_reached_is_said_calmly(as_role, desk, what, settings, monkeypatch):
    def unreachable(*_: object, **__: object) -> None:
        raise errors.Unreachable("fp", "GET", "/api/oms/orders/1")

    monkeypatch.setattr("portal.gateway.transport.Transport.send", unreachable)
    answer = as_role(roles.MAKER).post(act_url(getattr(desk, what), "refresh"), {"reason": REASON})
    assert answer.status_code == 302
    assert "could not be reached. Nothing was sent" in words(answer)


def test_submitting_again_is_offered_only_where_it_is_safe(as_role, desk):
    client = as_role(roles.MAKER)
    page = client.get(reverse("admin:orders_mforder_change", args=[desk.order.pk])).content.decode()
    assert "Refresh from provider" in page
    assert "Submit again" not in page
    answer = client.post(act_url(desk.order, "submit-again"), {"reason": REASON})
    assert "not possible in the present state" in words(answer)
    assert not AuditEntry.objects.filter(action="order.submit_again").exists()


def test_submitting_again_after_fruitless_looks_frees_the_order_for_the_worker(as_role):
    from tests import factories

    order = factories.OrderFactory(state="SUBMITTING")
    order.open_attempt(clock.now())
    order.mark_unknown(clock.now())
    order.looks = 5
    order.save(update_fields=[*ATTEMPT_FIELDS])
    assert sending.may_submit_again(order)
    client = as_role(roles.MAKER)
    client.post(act_url(order, "submit-again"), {"reason": "Compared with FP's screen: not there"})
    order.refresh_from_db()
    assert (order.state, order.attempt) == ("SUBMITTING", "")
    assert order.client_ref
    entry = AuditEntry.objects.get(action="order.submit_again")
    assert (entry.actor, entry.reason) == (f"user:{client.user.pk}", "Compared with FP's screen: not there")


def test_an_act_that_does_not_exist_is_404(as_role, desk):
    assert as_role(roles.MAKER).get(act_url(desk.order, "allot")).status_code == 404


def test_the_buttons_of_a_page_are_those_that_the_person_may_press(as_role, desk):
    url = reverse("admin:orders_mforder_change", args=[desk.order.pk])
    assert act_url(desk.order, "refresh") in as_role(roles.MAKER).get(url).content.decode()
    for role in (roles.VIEWER, roles.CHECKER, roles.ADMIN):
        may = set(re.findall(r"/act/([a-z_-]+)/", as_role(role).get(url).content.decode()))
        # To take the evidence changes nothing, and has a permission of its own.
        assert may <= {"evidence"}, (role, may)


def test_rechecking_kyc_keeps_the_registries_answer_beside_the_earlier_one(as_role, sandbox, asha):
    client, before = as_role(roles.MAKER), asha.kycchecks.count()
    answer = client.post(act_url(asha, "recheck-kyc"), {"reason": REASON})
    assert words(answer) == "The registries say: compliant."
    assert asha.kycchecks.count() == before + 1
    entry = AuditEntry.objects.get(action="kyc.recheck_asked")
    assert (entry.actor, entry.reason) == (f"user:{client.user.pk}", REASON)


def test_a_recheck_that_finds_kyc_turned_opens_a_case(as_role, sandbox):
    from portal.models import Case
    from tests import factories

    turned = factories.ReadyInvestorFactory(given_pan="BHRPM3753D")
    answer = as_role(roles.MAKER).post(act_url(turned, "recheck-kyc"), {"reason": REASON})
    assert words(answer).startswith("Not compliant")
    assert Case.objects.filter(kind="kyc_no_longer_compliant", subject_id=str(turned.pk), state="OPEN").exists()


def test_registering_again_is_offered_only_to_a_registration_that_rests(as_role, asha):
    client = as_role(roles.MAKER)
    answer = client.post(act_url(asha, "register-again"), {"reason": REASON})
    assert "not possible in the present state" in words(answer)
    assert not AuditEntry.objects.filter(action="registration.again").exists()


def test_registering_again_lets_a_refused_registration_go_on(as_role):
    from tests import factories

    investor = factories.InvestorFactory(
        given_pan="ASHPR3751C", state="REGISTERING", refusal=[{"field": "", "message": "no"}]
    )
    client = as_role(roles.MAKER)
    client.post(act_url(investor, "register-again"), {"reason": "FP repaired the bank account"})
    investor.refresh_from_db()
    assert investor.refusal == []
    assert investor.due_at is not None
    assert AuditEntry.objects.get(action="registration.again").reason == "FP repaired the bank account"
