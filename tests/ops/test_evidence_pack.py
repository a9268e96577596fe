"""The evidence pack: everything about a record in one sealed file, without an identifier in clear."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from portal import evidence, roles
from portal.models import AuditEntry, GatewayCall
from tests import factories
from tests.ops.conftest import ACCOUNT_NUMBER, PAN
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
WHY = {"reason": "Complaint at SCORES, 14 November"}


def take(client, obj) -> bytes:
    answer = client.post(act_url(obj, "evidence"), WHY)
    assert answer["Content-Type"] == "application/zip", answer.content.decode()[:300]
    return answer.content


def inside(pack: bytes, name: str = "evidence.json") -> bytes:
    with zipfile.ZipFile(io.BytesIO(pack)) as files:
        return files.read(name)


def changed(pack: bytes, name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack)) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            new.writestr(each, old.read(each) + (b" " if each == name else b""))
    return out.getvalue()


def test_it_holds_what_was_shown_each_step_the_calls_and_the_cases(as_role, desk):
    facts = json.loads(inside(take(as_role(roles.MAKER), desk.order)))
    assert facts["record"] == {"kind": "orders.mforder", "code": desk.order.code}
    assert facts["shown"][0]["sha256"] == desk.order.consent.digest
    assert [step["action"] for step in facts["timeline"]] == ["order.created"]
    assert facts["calls"][0]["what"] == "fp POST /api/oms/orders"
    assert len(facts["calls"][0]["response_sha256"]) == 64
    assert facts["cases"][0]["code"] == desk.case.code
    assert {each["kind"] for each in facts["facts"]} == {"orders.mforder", "payments.payment"}
    assert facts["taken"]["reason"] == WHY["reason"]


def test_it_shows_no_identifier_in_clear(as_role, desk):
    text = inside(take(as_role(roles.MAKER), desk.order)).decode()
    assert not [secret for secret in (PAN, ACCOUNT_NUMBER, "secret-token", desk.investor.user.email) if secret in text]


def test_taking_it_is_on_record_with_the_digests_of_both_files(as_role, desk):
    maker = as_role(roles.CHECKER)
    pack = take(maker, desk.order)
    entry = AuditEntry.objects.get(action=evidence.TAKEN)
    assert (entry.actor, entry.reason) == (f"user:{maker.user.pk}", WHY["reason"])
    assert inside(pack, "SEAL.txt").decode().split()[0] == entry.data["sha256"]["evidence.json"]
    assert inside(pack, "evidence.pdf").startswith(b"%PDF")


@pytest.mark.parametrize(
    "body",
    [
        {"pincode": "400001", "token": "[hidden]", "scheme_code": 119551},
        {"lines": ["a line that goes on " * 300]},
        {"account": int(ACCOUNT_NUMBER), "rupees": 1500.5, "paid": True},
    ],
)
def test_a_body_of_any_kind_stands_in_it(as_role, desk, body):
    """What hides identifiers works on values, so that neither a long body nor a hidden word breaks the pack."""
    GatewayCall.objects.update(response_body=body)
    pack = take(as_role(roles.MAKER), desk.order)
    kept = json.loads(inside(pack))["calls"][0]["response"]
    assert kept.keys() == body.keys()
    assert kept.get("scheme_code", 119551) == 119551
    assert ACCOUNT_NUMBER not in inside(pack).decode()


@pytest.mark.django_db(transaction=True)
def test_a_changed_file_breaks_the_seal(as_role, desk, tmp_path):
    pack = take(as_role(roles.MAKER), desk.order)
    assert evidence.verify(pack) == []
    assert evidence.verify(changed(pack, "evidence.json")) == [
        "evidence.json is not what was sealed: no such pack was taken here"
    ]
    assert evidence.verify(changed(pack, "evidence.pdf")) == ["evidence.pdf is not what was sealed"]
    assert evidence.verify(changed(pack, "SEAL.txt")) == ["SEAL.txt is not what was sealed"]
    with_more = io.BytesIO(pack)
    with zipfile.ZipFile(with_more, "a") as files:
        files.writestr("evidence.txt", "a file that was never sealed")
    assert "three files" in evidence.verify(with_more.getvalue())[0]
    assert evidence.verify(b"no zip") == ["this is no evidence pack"]
    (tmp_path / "pack.zip").write_bytes(pack)
    call_command("evidence_verify", str(tmp_path / "pack.zip"))
    (tmp_path / "pack.zip").write_bytes(changed(pack, "evidence.pdf"))
    with pytest.raises(CommandError):
        call_command("evidence_verify", str(tmp_path / "pack.zip"))


def test_a_mandate_and_a_basket_order_have_one_too(as_role, desk):
    mandate = factories.MandateFactory(investor=desk.investor)
    journey = factories.BasketOrderFactory(investor=desk.investor)
    for row in (mandate, journey):
        assert json.loads(inside(take(as_role(roles.MAKER), row)))["record"]["code"] == row.code


@pytest.mark.parametrize("role", [roles.VIEWER, roles.ADMIN])
def test_only_those_who_work_cases_take_it(as_role, desk, role):
    assert as_role(role).post(act_url(desk.order, "evidence"), WHY).status_code == 403
    assert not AuditEntry.objects.filter(action=evidence.TAKEN).exists()
