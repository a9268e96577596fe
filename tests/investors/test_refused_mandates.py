"""A mandate that FP refuses field by field: its words stand at the fields of the next try, and people know of the rest.

The form's rules stand before FP's; here they are passed by, or FP has a rule that nobody knew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from investors import mandate_refusals, mandate_rules, mandate_words, merged_banks
from investors.forms.mandates import MandateForm
from investors.models import Mandate
from investors.operations import mandate_sending, mandates
from portal import clock, identifiers
from portal.errors import InvalidInput
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages.mandates import NewEMandate, NewNachMandate
from portal.gateway import errors
from portal.gateway.journal import About
from portal.models import Case
from portal.notices.models import Notice
from tests.investors.test_mandates import AUTHORISE, CREATE, advance, at_fp, give

pytestmark = pytest.mark.django_db


# --- every documented rule, before FP and at FP -----------------------------------------------------------------


class Raw:
    """A body that our own messages would not let through."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def body(self) -> dict[str, Any]:
        return self._body


@dataclass(frozen=True)
class Rule:
    """A rule of the document: broken on our page, and broken in the body that FP is sent."""

    words: str
    typed: dict[str, str]
    body: dict[str, Any]
    field: str


# Of the given document, "Create a mandate (nach)" and "Create an e-mandate"; the bounds of the limit: providers.md 3.9.
RULES = [
    Rule("the limit is mandatory", {"limit": ""}, {"mandate_limit": None}, "limit"),
    Rule("a limit of whole rupees", {"limit": "500.50"}, {"mandate_limit": 500.5}, "limit"),
    Rule("a limit above zero", {"limit": "0"}, {"mandate_limit": 0}, "limit"),
    Rule("a limit of at most a crore", {"limit": "1,00,00,001"}, {"mandate_limit": 10_000_001}, "limit"),
    Rule("the account is mandatory", {"bank_account": ""}, {"bank_account_id": None}, "bank_account"),
    Rule("an account that FP knows", {"bank_account": "BNK-X"}, {"bank_account_id": 999_999}, "bank_account"),
    Rule("the kind is mandatory", {"kind": ""}, {"mandate_type": None}, "kind"),
    Rule("a kind of the two", {"kind": "UPI"}, {"mandate_type": "UPI"}, "kind"),
]
NAMES = [rule.words for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_our_page_refuses_at_the_field(asha, rule: Rule) -> None:
    assert rule.field in form_for(asha, **rule.typed).errors


def form_for(asha, gateway: str = "RTA", **typed: str) -> MandateForm:
    good = {"limit": "25,000", "kind": "E_MANDATE", "form_ref": identifiers.new_client_ref()}
    good["bank_account"] = asha.bankaccounts.get().code
    return MandateForm(good | typed, accounts=asha.bankaccounts.all(), ways=mandate_rules.GATEWAYS[gateway].ways)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_fps_own_refusal_lands_at_the_same_field(asha, sandbox, rule: Rule) -> None:
    body = {"mandate_type": "E_MANDATE", "bank_account_id": asha.bankaccounts.get().provider_ref, "mandate_limit": 5}
    raw: Any = Raw(body | rule.body)
    with pytest.raises(errors.Refused) as refused:
        fp.client().create_e_mandate(raw, About())
    assert rule.field in [mandate_refusals.place_of(each.field) for each in refused.value.fields]


def test_paper_with_bse_is_refused_at_the_kind(asha) -> None:
    """FP names `mandate_type` for it (tests/sandbox/test_plans_and_sells.py)."""
    assert "kind" not in form_for(asha, kind="NACH").errors
    assert "kind" in form_for(asha, gateway="BSE", kind="NACH").errors


@pytest.mark.parametrize("message", [NewEMandate, NewNachMandate])
def test_every_field_of_fps_request_is_asked_for_or_says_why_not(message) -> None:
    for name in message.model_fields:
        assert (name in mandate_refusals.PLACES) != (name in mandate_refusals.NOT_ASKED)


def test_every_place_is_a_field_of_the_form_and_has_a_label(asha) -> None:
    for field in mandate_refusals.PLACES.values():
        assert field in form_for(asha).fields
        assert field in mandate_refusals.LABELS


# --- the refusal arrives later, in the background ---------------------------------------------------------------


@pytest.fixture
def refuse(sandbox) -> Callable[[str], None]:
    """FP refuses the next mandate because of this field."""
    return lambda field: sandbox.fault(f"refuse:{field}", path=CREATE)


@pytest.mark.parametrize("field", mandate_refusals.PLACES)
def test_the_words_stand_at_the_field_of_the_next_try_with_what_was_typed(asha, refuse, client_for, field) -> None:
    refuse(field)
    mandate = advance(give(asha))
    assert (mandate.state, mandate.attempt, mandate.provider_ref) == ("REJECTED", "", None)
    assert not Case.objects.exists()
    browser, ours = client_for(asha), mandate_refusals.PLACES[field]
    page = browser.get(reverse("investors:mandate", args=[mandate.code])).content.decode()
    retry = reverse("investors:mandate_retry", args=[mandate.code])
    assert f'href="{retry}#id_{ours}">{mandate_refusals.LABELS[ours]}</a>' in page
    assert "not accepted when we set up the mandate: is not acceptable." in page
    assert "did not reach your bank" in page
    assert "bank's own words" not in page
    again = browser.get(retry)
    form = again.context["form"]
    assert list(form.errors) == [ours]
    assert "is not acceptable" in form.errors[ours][0]
    assert again.content.decode().count("is not acceptable") == 2  # at the field, and in the summary above
    typed = {name: form[name].value() for name in ("limit", "bank_account", "kind")}
    assert typed == {"limit": "25000", "bank_account": mandate.bank_account.code, "kind": "E_MANDATE"}


def test_two_complaints_stand_at_two_fields(asha, sandbox, client_for, monkeypatch) -> None:
    """The sandbox's own rules, with ours passed by."""
    body = {"mandate_type": "E_MANDATE", "bank_account_id": "999999", "mandate_limit": 10_000_001}
    monkeypatch.setattr(NewEMandate, "checked", classmethod(lambda cls, values: Raw(body)))
    mandate = advance(give(asha))
    form = client_for(asha).get(reverse("investors:mandate_retry", args=[mandate.code])).context["form"]
    assert set(form.errors) == {"limit", "bank_account"}
    assert "should be from 1 to 10000000" in form.errors["limit"][0]


def test_the_investor_must_act_until_it_was_tried_again(asha, refuse, client_for) -> None:
    refuse("mandate_limit")
    old = advance(give(asha))
    assert (mandate_words.of(old).kind, mandate_words.of(old).badge) == ("needs", "Correct it")
    new = advance(give(asha, previous=old, limit=Decimal(20_000)))
    assert new.state == "AWAITING_INVESTOR"
    old = Mandate.objects.select_related("next").get(pk=old.pk)
    assert mandate_words.of(old).badge == "Not accepted"
    page = client_for(asha).get(reverse("investors:mandate", args=[old.code])).content.decode()
    assert "Correct it and try again" not in page
    assert "is not acceptable" in page


def test_what_is_typed_wrong_in_the_next_try_does_not_lose_it(asha, refuse, client_for) -> None:
    refuse("mandate_limit")
    mandate = advance(give(asha))
    browser, retry = client_for(asha), reverse("investors:mandate_retry", args=[mandate.code])
    sent = {"limit": "0", "kind": "E_MANDATE", "bank_account": mandate.bank_account.code}
    page = browser.post(retry, {**sent, "form_ref": identifiers.new_client_ref()}, follow=True)
    assert (page.context["form"]["limit"].value(), list(page.context["form"].errors)) == ("0", ["limit"])
    assert "is not acceptable" not in page.content.decode(), "the earlier answer is not about what stands there now"


@pytest.mark.parametrize("field", [*mandate_refusals.NOT_ASKED, "umbrella", "bank.ifsc"])
def test_what_no_form_has_is_seen_by_ops_by_its_name_and_told_calmly(asha, refuse, client_for, field) -> None:
    refuse(field)
    mandate = advance(give(asha))
    case = Case.objects.get(kind=mandate_sending.REFUSED_CASE)
    assert (case.subject_id, case.detail) == (str(mandate.pk), f"{field}: is not acceptable")
    assert mandate_words.of(mandate).kind == "failed", "there is nothing that the investor could correct"
    page = client_for(asha).get(reverse("investors:mandate", args=[mandate.code])).content.decode()
    assert "Our team has been told" in page
    assert field not in page


def test_a_refusal_that_names_no_field_is_for_ops_too(asha, sandbox, client_for) -> None:
    sandbox.fault("status:409", path=CREATE)
    mandate = advance(give(asha))
    assert Case.objects.get(kind=mandate_sending.REFUSED_CASE).detail == "no field: simulated 409"
    page = client_for(asha).get(reverse("investors:mandate", args=[mandate.code])).content.decode()
    assert "Our team has been told" in page


def test_the_message_does_not_blame_the_bank(asha, refuse) -> None:
    refuse("mandate_limit")
    advance(give(asha))
    assert Notice.objects.get(user=asha.user).event == "mandate.refused"


def test_what_the_bank_rejects_stays_the_banks(asha, sandbox) -> None:
    mandate = advance(advance(give(asha)))
    sandbox.call("POST", f"/fp/mandates/{mandate.provider_ref}", {"status": "REJECTED"})
    mandate = advance(mandate, after_s=400)
    assert (mandate.state, mandate.refusal, mandate.was_refused) == ("REJECTED", [], False)
    assert "bank's own words" in mandate_words.reason(mandate)


# --- the bank's page --------------------------------------------------------------------------------------------


def test_a_page_that_fp_does_not_make_is_a_case_and_is_not_asked_for_again_and_again(asha, sandbox, client_for) -> None:
    mandate = advance(give(asha))
    sandbox.fault("refuse:payment_postback_url", path=AUTHORISE, times=2)
    asked = mandate.attempt_no
    mandate = advance(mandate)
    assert Case.objects.get(kind=mandate_sending.PAGE_CASE).detail == "payment_postback_url: is not acceptable"
    assert mandate.due_at - clock.now() > mandate_sending.ASK_FOR_A_PAGE_AGAIN / 2
    answer = client_for(asha).get(reverse("investors:mandate", args=[mandate.code]))
    page = answer.content.decode()
    assert "bank&#x27;s page cannot be opened now" in page
    assert "data-refreshes" not in page
    assert "takes a few seconds" not in page
    mandate.refresh_from_db()
    assert mandate.attempt_no == asked + 1
    advance(mandate, after_s=1000)
    mandate = advance(mandate, after_s=2000)
    assert (bool(mandate.page_url), mandate.refusal) == (True, [])
    assert not Case.objects.filter(state="OPEN").exists()


# --- rules that are no field of FP's: an account that can be debited --------------------------------------------


def test_a_branch_that_has_ended_takes_no_mandate_and_nothing_is_sent(asha, sandbox) -> None:
    account = asha.bankaccounts.get()
    account.ifsc = f"{merged_banks.old()[0]}0000001"
    account.save()
    with pytest.raises(InvalidInput) as refusal:
        mandates.prepare(investor=asha, bank_account=account, kind="E_MANDATE", limit=Decimal(5), at=clock.now())
    assert refusal.value.field == "bank_account"
    assert at_fp(sandbox) == []
