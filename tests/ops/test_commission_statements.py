"""The pages of commission statements: a dry run before anything is kept, the lines, and who may do what."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.admin import commission_entering
from orders.feeds import commission
from orders.models import CommissionLine, CommissionStatement
from orders.operations import commission_statements as statements
from portal import roles
from portal.files import vault
from tests.factories import files
from tests.ops.test_roles import act_url
from tests.orders.commissioning import AT, enter, line, raw

pytestmark = pytest.mark.django_db
ADD = reverse("admin:orders_commissionstatement_choose")
ENTER = reverse("admin:orders_commissionstatement_enter")
LEFT_OUT = reverse("admin:orders_commissionstatement_left_out")
TEMPLATE = reverse("admin:orders_commissionstatement_template")
LINES = reverse("admin:orders_commissionline_changelist")


@pytest.fixture(autouse=True)
def _on_a_day_in_november(at) -> None:
    at(AT)


def brought(client: Client, content: bytes, name: str = "october.csv") -> Any:
    return client.post(ADD, {"file": SimpleUploadedFile(name, content, "text/csv")})


def token_of(answer: Any) -> str:
    return str(answer.context["steps"][0].kept["token"])


@pytest.fixture
def maker(as_role: Callable[[str], Client]) -> Client:
    return as_role(roles.MAKER)


def test_a_file_is_looked_at_then_entered(maker, commission_book):
    answer = brought(
        maker, raw(line(commission_book), line(commission_book, amount="(40)"), line(commission_book, folio="999"))
    )
    text = answer.content.decode()
    assert "of 3 lines 2 count, together ₹60.00; 1 count for nothing yet. Nothing is kept so far." in text
    assert "No folio 999 of" in text
    assert not CommissionStatement.objects.exists()
    done = maker.post(ENTER, {"token": token_of(answer)}, follow=True)
    row = CommissionStatement.objects.get()
    assert (row.name, row.entered_by, row.lines_count) == ("october.csv", maker.user, 3)
    assert done.redirect_chain[-1][0] == reverse("admin:orders_commissionstatement_change", args=[row.pk])
    assert "₹60.00" in done.content.decode()


def test_the_same_file_again_leads_to_the_statement_that_it_is(maker, commission_book):
    first = brought(maker, raw(line(commission_book)))
    maker.post(ENTER, {"token": token_of(first)})
    row = CommissionStatement.objects.get()
    again = brought(maker, raw(line(commission_book)))
    assert again.status_code == 422
    assert f"This file was entered already, as {row.code}." in again.content.decode()


def test_a_second_window_is_told_that_the_file_stands(maker, commission_book):
    one, other = brought(maker, raw(line(commission_book))), brought(maker, raw(line(commission_book)))
    maker.post(ENTER, {"token": token_of(one)})
    answer = maker.post(ENTER, {"token": token_of(other)}, follow=True)
    assert f"as {CommissionStatement.objects.get().code}. Nothing was done." in answer.content.decode()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", files.zip_bomb(), b"\0" * 50, b"x" * (commission.MOST_BYTES + 1), b"a,b\n1,2"],
    ids=["empty", "workbook", "bomb", "zeros", "large", "another table"],
)  # fmt: skip
def test_what_is_no_statement_is_refused_with_words_and_kept_nowhere(maker, content, monkeypatch):
    monkeypatch.setattr(vault, "put", lambda raw: pytest.fail("nothing is kept of it"))
    answer = brought(maker, content)
    assert answer.status_code == 422
    assert not CommissionStatement.objects.exists()


def test_what_a_file_says_is_shown_as_text(maker, commission_book):
    answer = brought(
        maker,
        raw(
            line(commission_book, folio="<script>alert(1)</script>"), line(commission_book, house="<b>x</b>", folio="9")
        ),
    )
    text = answer.content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_all_lines_that_do_not_count_are_a_file_without_formulas(maker, commission_book):
    answer = brought(maker, raw(*(line(commission_book, folio=f"=1+{n}") for n in range(120)), "=cmd|x"))
    assert answer.context["panels"][1].note.endswith("The first 100 of 121; the file has all.")
    taken = maker.post(LEFT_OUT, {"token": token_of(answer)})
    rows = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"))))
    assert len(rows) == 122
    assert rows[-1][2] == "'=cmd|x"


def test_a_file_is_forgotten_after_an_hour_and_is_nobody_elses(maker, as_role, commission_book, at):
    token = token_of(brought(maker, raw(line(commission_book))))
    other = as_role(roles.MAKER)
    for client, given in ((other, token), (maker, "x"), (maker, "")):
        assert "no longer kept here" in client.post(ENTER, {"token": given}, follow=True).content.decode()
    _, name, _ = signing.loads(token, salt=commission_entering.SALT)
    vault.remove(name)
    assert "no longer kept here" in maker.post(ENTER, {"token": token}, follow=True).content.decode()
    assert not CommissionStatement.objects.exists()


def test_an_entered_file_does_not_stay_in_the_vault(maker, commission_book):
    token = token_of(brought(maker, raw(line(commission_book))))
    _, name, _ = signing.loads(token, salt=commission_entering.SALT)
    assert vault.has(name)
    maker.post(ENTER, {"token": token})
    assert not vault.has(name)


def test_our_template_can_be_taken_and_read(maker):
    taken = maker.get(TEMPLATE)
    assert "commission-statement.csv" in taken["Content-Disposition"]
    assert [each.why_not for each in commission.read(taken.content).lines()] == [""]


def test_only_makers_enter_match_and_withdraw(client, as_role, commission_book):
    row = enter(commission_book, line(commission_book))
    assert client.get(ADD).status_code == 302
    assert as_role(roles.INVESTOR).get(ADD).status_code == 302
    assert as_role(roles.PARTNER).get(ADD).status_code == 302
    for role in (roles.VIEWER, roles.CHECKER, roles.ADMIN):
        other = as_role(role)
        page = other.get(reverse("admin:orders_commissionstatement_change", args=[row.pk]))
        assert page.status_code == 200
        assert "/act/" not in page.content.decode()
        answers = [other.get(ADD), brought(other, raw(line(commission_book))), other.get(TEMPLATE)]
        answers += [other.post(url, {"token": "x"}) for url in (ENTER, LEFT_OUT)]
        answers += [other.post(act_url(row, act), {"reason": "No right to do it"}) for act in ("match", "withdraw")]
        assert {answer.status_code for answer in answers} == {403}
    row.refresh_from_db()
    assert row.withdrawn_at is None


def test_a_maker_withdraws_with_a_reason(maker, commission_book):
    row = enter(commission_book, line(commission_book))
    assert maker.post(act_url(row, "withdraw"), {}).status_code == 422
    maker.post(act_url(row, "withdraw"), {"reason": "Of another month"})
    row.refresh_from_db()
    assert (row.withdrawn_by, row.withdrawn_why) == (maker.user, "Of another month")
    text = maker.get(reverse("admin:orders_commissionstatement_change", args=[row.pk])).content.decode()
    assert "Of another month" in text
    assert "/act/" not in text


def test_lines_are_found_by_statement_folio_and_standing(maker, commission_book):
    row = enter(
        commission_book,
        line(commission_book),
        line(commission_book, folio="999"),
        line(commission_book, amount="nil", folio="888"),
    )
    statements.withdraw(
        statement_id=enter(commission_book, line(commission_book, folio="777")).pk,
        actor=commission_book.user,
        reason="Wrong",
        at=AT,
    )
    for query, folios in {
        f"q={row.code}": {"12345/01", "999", "888"},
        "standing=counts": {"12345/01"},
        "standing=not": {"999", "888", "777"},
        "standing=unmatched": {"999"},
        "standing=unreadable": {"888"},
    }.items():
        found = maker.get(f"{LINES}?{query}").context["cl"].result_list
        assert {each.folio_number for each in found} == folios, query


def test_every_line_has_a_page_and_lists_can_be_taken_as_files(maker, commission_book):
    enter(commission_book, line(commission_book, folio="999"))
    row = CommissionLine.objects.get()
    text = maker.get(reverse("admin:orders_commissionline_change", args=[row.pk])).content.decode()
    assert "No folio 999 of" in text
    taken = maker.get(f"{LINES}export/").content.decode("utf-8-sig")
    assert '"999"' in taken


def test_pages_cost_the_same_however_many_lines_there_are(maker, commission_book):
    row = enter(commission_book, line(commission_book))
    urls = (
        reverse("admin:orders_commissionstatement_change", args=[row.pk]),
        reverse("admin:orders_commissionstatement_changelist"),
        LINES,
    )

    def costs() -> list[int]:
        found = []
        for url in urls:
            with CaptureQueriesContext(connection) as captured:
                assert maker.get(url).status_code == 200
            found.append(len(captured))
        return found

    costs()
    before = costs()
    enter(commission_book, *(line(commission_book, folio="999" if n % 2 else "12345/01") for n in range(20)))
    assert costs() == before
    assert max(before) <= 16
