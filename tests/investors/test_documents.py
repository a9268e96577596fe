"""Files of investors: kept encrypted, replaced, shown for five minutes to one person, looked at by staff on record."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import signing
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from investors.models import Document, Investor
from investors.operations import documents
from portal import audit, clock, roles
from portal.errors import InvalidInput
from portal.files import quarantine, vault
from portal.files import upload as uploads
from portal.models import Case
from tests import factories
from tests.factories import files
from tests.investors.fresh_kyc import Kind, clean
from tests.ops.conftest import as_role, staff  # noqa: F401 - fixtures: staff of every role

pytestmark = pytest.mark.django_db


def keep(investor: Investor, kind: str = Kind.PHOTO, content: bytes | None = None) -> Document:
    file = clean(kind, content)
    return documents.keep(investor=investor, kind=kind, file=file, actor=investor.user, at=clock.now())


def address(document: Document, person: Investor) -> str:
    return reverse("investors:document", args=[documents.link(document=document, user=person.user)])


def vault_files() -> set[Path]:
    return {path for path in Path(settings.MEDIA_ROOT, "private").rglob("*") if path.is_file()}


def test_a_file_lies_encrypted_and_its_row_says_what_it_is(asha: Investor) -> None:
    before = vault_files()
    document = keep(asha)
    [new] = vault_files() - before
    assert b"JFIF" not in new.read_bytes()
    content = documents.content(document)
    assert content.startswith(b"\xff\xd8\xff")
    assert (document.byte_size, document.media_type, document.pages) == (len(content), "image/jpeg", 1)


def test_a_better_one_replaces_it_and_what_never_left_us_is_forgotten(
    asha: Investor, django_capture_on_commit_callbacks: Any
) -> None:
    old = keep(asha)
    with django_capture_on_commit_callbacks(execute=True):
        new = keep(asha)
    assert documents.current(asha) == {Kind.PHOTO: new}
    assert Document.objects.get(pk=old.pk).replaced_at
    with pytest.raises(documents.Gone):
        documents.content(old)


def test_what_was_sent_to_fp_stays_because_a_request_was_decided_on_it(
    asha: Investor, django_capture_on_commit_callbacks: Any
) -> None:
    old = keep(asha)
    Document.objects.filter(pk=old.pk).update(provider_ref="file-1")
    with django_capture_on_commit_callbacks(execute=True):
        keep(asha)
    assert documents.content(old)


def test_several_cancelled_cheques_are_current_at_once(asha: Investor) -> None:
    for _ in range(2):
        keep(asha, Kind.CANCELLED_CHEQUE)
    assert Document.objects.filter(replaced_at=None).count() == 2


def test_a_row_that_cannot_be_written_leaves_no_file(asha: Investor, monkeypatch: pytest.MonkeyPatch) -> None:
    before = vault_files()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        keep(asha)
    assert vault_files() == before


def test_its_owner_sees_it_in_the_page_and_it_can_do_nothing(asha: Investor, client_for: Any) -> None:
    answer = client_for(asha).get(address(keep(asha), asha))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Content-Disposition"].startswith("inline;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in answer["Cache-Control"]


def test_a_pdf_is_shown_as_a_picture_of_its_first_page(asha: Investor, client_for: Any) -> None:
    copy = quarantine.clean(field="x", name="proof.pdf", data=files.pdf(pages=3), accepts=quarantine.PAPERS)
    document = documents.keep(investor=asha, kind=Kind.ADDRESS_FRONT, file=copy, actor=asha.user, at=clock.now())
    assert document.pages == 3
    answer = client_for(asha).get(address(document, asha))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8\xff")


def test_a_link_is_good_for_five_minutes_one_person_and_one_file(
    asha: Investor, chitra: Investor, client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = keep(asha)
    good = address(document, asha)
    assert client_for(asha).get(good).status_code == 200
    assert client_for(chitra).get(good).status_code == 404
    assert client_for(chitra).get(address(document, chitra)).status_code == 404  # signed, and still not hers
    assert client_for(asha).get(good[:-3] + "xx/").status_code == 404
    assert client_for().get(good).status_code == 302
    late = signing.time.time() + 301
    monkeypatch.setattr(signing.time, "time", lambda: late)
    assert documents.behind(token=good.split("/")[-2], user=asha.user) is None


def test_staff_look_at_it_in_the_page_and_every_visit_is_on_record(asha: Investor, as_role: Any) -> None:  # noqa: F811
    document = keep(asha)
    where = reverse("admin:investors_document_file", args=[document.pk])
    desk = as_role(roles.VIEWER)
    page = desk.get(reverse("admin:investors_document_change", args=[document.pk])).content.decode()
    assert f'<img src="{where}"' in page
    assert "download" not in page.replace("controlslist", "")
    for _ in range(2):
        answer = desk.get(where)
        assert answer["Content-Disposition"].startswith("inline;")
        assert "no-store" in answer["Cache-Control"]
    [seen] = audit.entries_of(document).filter(action=documents.SEEN)
    assert seen.actor == f"user:{desk.user.pk}"
    assert Client().get(where).status_code == 302


def test_a_paper_that_is_gone_is_said_so_and_breaks_no_page(asha: Investor, as_role: Any) -> None:  # noqa: F811
    document = keep(asha)
    vault.remove(document.vault_name)
    document.replaced_at = clock.now()
    document.save()
    desk = as_role(roles.VIEWER)
    assert desk.get(reverse("admin:investors_document_file", args=[document.pk])).status_code == 404
    assert b"no longer kept" in desk.get(reverse("admin:investors_document_change", args=[document.pk])).content


# --- arriving ---------------------------------------------------------------------------------------------------


def test_nothing_that_arrives_is_written_to_a_disk_and_the_rest_of_a_giant_is_dropped() -> None:
    handler = uploads.InMemory()
    handler.new_file("photo", "a.jpg", "image/jpeg", 0)
    for _ in range(14):
        handler.receive_data_chunk(bytes(1024 * 1024), 0)
    file = handler.file_complete(0)
    assert (file.size, len(file.read())) == (uploads.MOST, uploads.MOST)
    with pytest.raises(uploads.StopUpload):
        for _ in range(40):
            handler.receive_data_chunk(bytes(1024 * 1024), 0)


def test_the_desk_compares_data_and_papers_on_one_page(asha: Investor, as_role: Any) -> None:  # noqa: F811
    row = factories.KycRequestFactory(investor=asha, answers='{"name": "Asha Rao", "father_name": "Mahesh Rao"}')
    document = keep(asha, Kind.IDENTITY_PROOF)
    desk = as_role(roles.MAKER)
    page = desk.get(reverse("admin:investors_kycrequest_change", args=[row.pk])).content.decode()
    assert "Mahesh Rao" in page
    assert reverse("admin:investors_document_file", args=[document.pk]) in page
    assert asha.pan not in page
    ask = reverse("admin:investors_kycrequest_act", args=[row.pk, "ask-again"])
    desk.post(ask, {"paper": Kind.IDENTITY_PROOF, "why": "document_unclear", "reason": "the name is blurred"})
    assert Document.objects.get(pk=document.pk).refusal == "document_unclear"
    assert as_role(roles.VIEWER).get(ask).status_code == 403


# --- looking after the vault ------------------------------------------------------------------------------------


def written(name: str, hours_ago: float) -> None:
    path = Path(storages["private"].path(name))
    os.utime(path, (time.time() - 3600 * hours_ago,) * 2)


def test_a_file_that_no_row_names_is_forgotten_once_it_is_old(asha: Investor) -> None:
    kept, orphan, young = keep(asha), vault.put(b"of nobody"), vault.put(b"its row is being written")
    for name in (kept.vault_name, orphan):
        written(name, hours_ago=2)
    assert documents.sweep(at=clock.now()) == 1
    assert [vault.has(name) for name in (kept.vault_name, orphan, young)] == [True, False, True]
    assert not Case.objects.exists()


def test_a_file_that_is_missing_becomes_a_case_once(asha: Investor) -> None:
    lost, fine = keep(asha), keep(asha, Kind.SIGNATURE)
    vault.remove(lost.vault_name)
    for _ in range(2):
        documents.sweep(at=clock.now())
    case = Case.objects.get(kind=documents.MISSING_CASE)
    assert (case.subject_id, case.times_reported) == (str(lost.pk), 2)
    assert str(fine.pk) != case.subject_id


def test_a_paper_that_was_replaced_before_it_was_sent_is_not_missed(asha: Investor) -> None:
    vault.remove(keep(asha).vault_name)
    keep(asha)
    documents.sweep(at=clock.now())
    assert not Case.objects.exists()


@pytest.mark.parametrize("name", ["card.svg", "card.jpg", "../../card.jpg"])
def test_a_hostile_upload_is_refused_at_its_field_and_nothing_is_kept(
    name: str, asha: Investor, client_for: Any, sandbox: Any
) -> None:
    before = vault_files()
    browser = client_for(asha)
    factories.KycRequestFactory(investor=asha, state="DRAFT")
    hostile = SimpleUploadedFile(name, b"<svg>" + files.SCRIPT + b"</svg>")
    with pytest.raises(InvalidInput):
        quarantine.clean(field="PHOTO", name=name, data=hostile.read(), accepts=quarantine.PICTURES)
    browser.post(reverse("investors:kyc_step", args=["photo"]), {"PHOTO": hostile})
    assert vault_files() == before
    assert not Document.objects.filter(investor=asha).exists()
