"""Words of reasons and notices as dated data; anchors of the audit chain; from where the admin answers."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from investors import kyc_reasons
from portal import anchors, audit, clock, roles
from portal.models import AuditEntry, AuditLink, Case, Proposal, Wording
from portal.notices import writing
from portal.views import StaffNetworks
from tests import factories
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
YES = {"reason": "Read by legal"}


def propose(client: Client, which: str, text: str, **more: str) -> Client:
    at = clock.now() + timedelta(minutes=1)
    fields = {"valid_from_0": f"{at:%Y-%m-%d}", "valid_from_1": f"{at:%H:%M:%S}", "why": "Plainer words", **more}
    return client.post(reverse("admin:portal_wording_add"), {"which": which, "text": text, **fields})


def test_new_words_of_a_reason_hold_from_their_moment_once_approved(as_role):
    propose(as_role(roles.MAKER), "kyc_reason/onhold/title", "A registry has put your KYC on hold")
    assert kyc_reasons.explain("onhold", at=clock.now()) == kyc_reasons.REASONS["onhold"]
    as_role(roles.CHECKER).post(act_url(Proposal.objects.get(), "approve"), YES)
    assert kyc_reasons.explain("onhold", at=clock.now()) == kyc_reasons.REASONS["onhold"]
    later = kyc_reasons.explain("On Hold", at=clock.now() + timedelta(minutes=2))
    assert later.title == "A registry has put your KYC on hold"
    assert later.to_do == kyc_reasons.REASONS["onhold"].to_do


def test_a_notice_is_told_in_the_words_of_its_moment(asha):
    at = clock.now()
    order = factories.OrderFactory(investor=asha)
    Wording.objects.create(catalogue="notice", key="order.paid", part="title", text="Paid: {scheme}", valid_from=at)
    facts = {
        "user_id": asha.user_id,
        "event": "order.paid",
        "subject": order,
        "url": "/",
        "scheme": "Fund",
        "asked": "₹1",
    }
    assert writing.tell(**facts, at=at).title == "Paid: Fund"
    before = writing.tell(**facts, at=at - timedelta(seconds=1), about="before")
    assert before.title != "Paid: Fund"


@pytest.mark.parametrize(
    ("text", "said"), [("Paid: {person}", "is not known here"), ("Paid: {scheme", "opened and not closed")]
)
def test_only_what_the_notice_knows_can_be_filled_in(as_role, text, said):
    answer = propose(as_role(roles.MAKER), "notice/order.paid/title", text)
    assert said in answer.content.decode()
    assert not Proposal.objects.exists()


def test_no_words_hold_from_a_moment_that_has_passed(as_role):
    answer = propose(as_role(roles.MAKER), "notice/order.paid/title", "Paid", valid_from_0="2020-01-01")
    assert "cannot hold from a moment that has passed" in answer.content.decode()


# --- anchors ----------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(settings, tmp_path):
    settings.AUDIT_ANCHOR_DIR = tmp_path / "anchors"
    return settings.AUDIT_ANCHOR_DIR


@pytest.mark.django_db(transaction=True)
def test_the_newest_link_is_written_once_a_day(kept):
    order = factories.OrderFactory()
    audit.record(order, "order.created", actor=None, at=clock.now())
    path = anchors.write(clock.now())
    link = AuditLink.objects.latest("seq")
    assert json.loads(path.read_text()) == {"seq": link.seq, "hash": link.hash}
    assert anchors.write(clock.now()) is None
    assert anchors.write(clock.now() + timedelta(days=1)) is not None
    assert len(list(kept.iterdir())) == 2


@pytest.mark.django_db(transaction=True)
def test_a_chain_that_lost_its_anchor_is_a_case_and_no_anchor(kept):
    order = factories.OrderFactory()
    audit.record(order, "order.created", actor=None, at=clock.now())
    path = anchors.write(clock.now())
    path.write_text(json.dumps({"seq": 1, "hash": "0" * 64}))
    assert anchors.write(clock.now() + timedelta(days=1)) is None
    assert "was rewritten or cut" in Case.objects.get(kind=anchors.CASE).detail


# --- from where -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("networks", "status"),
    [([], 200), (["127.0.0.0/8"], 200), (["10.0.0.0/8", "203.0.113.7"], 404)],
)
def test_the_admin_answers_only_to_its_networks(as_role, settings, networks, status):
    settings.STAFF_NETWORKS = networks
    client = as_role(roles.VIEWER)
    assert client.get(reverse("admin:index")).status_code == status
    assert client.get(reverse("admin:login")).status_code in ({302} if status == 200 else {404})
    assert client.get("/healthz").status_code == 200


def test_an_odd_network_is_found_at_the_start(settings):
    settings.STAFF_NETWORKS = ["everywhere"]
    with pytest.raises(ValueError, match="everywhere"):
        StaffNetworks(lambda request: None)


# --- the audit log ----------------------------------------------------------------------------------------------


def test_the_view_log_shows_who_looked_and_the_door_is_a_filter(as_role, desk):
    viewer = as_role(roles.VIEWER)
    viewer.get(reverse("admin:investors_investor_change", args=[desk.investor.pk]))
    page = reverse("admin:portal_auditentry_changelist")
    looks = viewer.get(page, {"looks": audit.SEEN}).context["cl"].result_list
    assert {entry.actor for entry in looks} == {f"user:{viewer.user.pk}"}
    assert {entry.door for entry in viewer.get(page, {"door": "admin"}).context["cl"].result_list} == {"admin"}
    taken = viewer.get(reverse("admin:portal_auditentry_export"), {"looks": audit.SEEN, "as": "xlsx"})
    assert taken.content.startswith(b"PK")


def test_a_call_is_found_by_its_path_and_taken_as_a_sample_without_an_identifier(as_role, desk):
    from portal.models import GatewayCall

    maker = as_role(roles.MAKER)
    found = maker.post(reverse("admin:portal_gatewaycall_find"), {"q": "/api/oms"}, follow=True).context["cl"]
    call = GatewayCall.objects.get()
    assert [row.pk for row in found.result_list] == [call.pk]
    sample = json.loads(maker.post(act_url(call, "sample"), {"reason": ""}).content)
    assert sample["path"] == "/api/oms/orders"
    assert "ASHPR3751C" not in json.dumps(sample)
    GatewayCall.objects.update(response_body={"pincode": "400001", "token": "[hidden]", "lines": ["long " * 2_000]})
    sample = json.loads(maker.post(act_url(call, "sample"), {"reason": ""}).content)
    assert sample["response"]["pincode"] == "400001"
    assert AuditEntry.objects.filter(action="sample.taken", actor=f"user:{maker.user.pk}").exists()
