"""FP's "Create Investor", field by field: who fills it in here, what is refused before it is sent, and where FP's own
refusal is shown when our rule is bypassed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from investors import gateway, queries, refusals, steps
from investors.models import Address, Investor, TaxResidence
from investors.steps import Profile
from investors.views.onboarding import PAGES
from portal.fintech_primitives import messages
from portal.fintech_primitives.client import client
from portal.fintech_primitives.messages import people
from portal.gateway import errors, journal
from portal.models import User
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import ADDRESS_ABROAD, CHILDS, NOMINEE, TYPED

RESIDENT, NRI, MINOR = Investor.Kind.RESIDENT, Investor.Kind.NRI, Investor.Kind.MINOR


# --- every field has a place ----------------------------------------------------------------------------------------


def fields_of(message: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted names of everything that the message may hold."""
    for name, field in message.model_fields.items():
        inner = _message_in(field.annotation)
        if inner:
            yield from fields_of(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def _message_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _message_in(each))), None)


@pytest.mark.parametrize("field", sorted(fields_of(messages.NewInvestor)))
def test_every_field_of_fps_application_is_asked_for_or_says_why_not(field: str) -> None:
    assert (field in refusals.PLACES) != (field in refusals.NOT_ASKED)


def test_no_field_is_named_that_fp_does_not_have() -> None:
    assert set(refusals.PLACES) | set(refusals.NOT_ASKED) <= set(fields_of(messages.NewInvestor))


@pytest.mark.parametrize("field", sorted(refusals.PLACES))
def test_every_place_is_a_field_of_that_steps_form(field: str) -> None:
    step, name = refusals.PLACES[field]
    assert name in {each for kind in (RESIDENT, NRI, MINOR) for each in opened(step, kind).fields}


def opened(step: str, kind: str, data: Any = None) -> Any:
    who = Investor(kind=kind, user=User(email="asha@portal.example"))
    return PAGES[step].form.opened(Profile(who), data)


# --- every rule stands before FP's ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """A rule of the document's tables: broken on our page, and broken in the body that FP is sent."""

    words: str
    step: str
    typed: dict[str, str]
    body: dict[str, Any]
    field: str
    kind: str = RESIDENT


GONE = object()
ELSEWHERE = {"tax_resident_only_in_india": "no", "t1_country": "AE", "t1_tax_id_kind": "TIN", "t1_tax_id": "784-1990"}
ONE = {"name": "Lata Rao", "relationship": "Mother", "date_of_birth": "1962-03-04", "allocation_percentage": 100}
CHILD = {"n1_date_of_birth": "04/03/2020"}


def mandatory(step: str, section: str, fields: dict[str, str], kind: str = RESIDENT) -> list[Rule]:
    """Fields without which neither of us takes it: FP's name -> ours."""
    return [
        Rule(f"{section}.{theirs} is mandatory", step, {ours: ""}, {f"{section}.{theirs}": GONE}, ours, kind)
        for theirs, ours in fields.items()
    ]


BORN_LATELY = {"kyc_identity_detail.date_of_birth": "2015-03-04"}
IDENTITY, CONTACT = "kyc_identity_detail", "contact_detail"
RULES = [
    *mandatory(
        steps.PERSONAL,
        IDENTITY,
        {
            "name": "name",
            "date_of_birth": "date_of_birth",
            "gender": "gender",
            "marital_status": "marital_status",
            "occupation": "occupation",
            "residential_status": "kind",
        },
    ),
    *mandatory(steps.PERSONAL, CONTACT, {"mobile": "mobile"}),
    *mandatory(
        steps.FATCA,
        "fatca_detail",
        {
            "country_of_birth_ansi_code": "country_of_birth",
            "source_of_wealth": "source_of_wealth",
            "gross_annual_income": "gross_annual_income",
            "no_other_tax_residences": "tax_resident_only_in_india",
        },
    ),
    *mandatory(
        steps.FATCA,
        IDENTITY,
        {"pep_exposed": "is_politically_exposed", "pep_related": "is_related_to_politically_exposed"},
    ),
    *mandatory(steps.ADDRESS, "correspondence_address", {"line1": "line1", "pincode": "pincode"}),
    *mandatory(
        steps.ADDRESS,
        "overseas_address",
        {
            "line1": "o_line1",
            "zipcode": "o_zipcode",
            "city": "o_city",
            "state": "o_state",
            "country_ansi_code": "o_country",
        },
        NRI,
    ),
    *mandatory(
        steps.BANK,
        "bank_accounts.0",
        {"account_holder_name": "holder_name", "type": "kind", "ifsc_code": "ifsc", "number": "number"},
    ),
    *mandatory(
        steps.NOMINEES,
        "nomination.nominee1",
        {
            "name": "n1_name",
            "relationship": "n1_relationship",
            "date_of_birth": "n1_date_of_birth",
            "allocation_percentage": "n1_share",
        },
    ),
    *[
        Rule(f"a minor's {ours}", step, {ours: ""}, {**BORN_LATELY, f"{IDENTITY}.{theirs}": GONE}, ours, MINOR)
        for step, theirs, ours in (
            (steps.PAN, "guardian_pan_number", "guardian_pan"),
            (steps.GUARDIAN, "guardian_name", "guardian_name"),
            (steps.GUARDIAN, "guardian_date_of_birth", "guardian_date_of_birth"),
            (steps.GUARDIAN, "guardian_relationship", "guardian_relationship"),
        )
    ],
    Rule("a guardian's PAN is a valid one", steps.PAN, {"guardian_pan": "X"},
         {**BORN_LATELY, f"{IDENTITY}.guardian_pan_number": "X"}, "guardian_pan", MINOR),
    Rule("the PAN is mandatory", steps.PAN, {"pan": ""}, {f"{IDENTITY}.pan_number": GONE}, "pan"),
    Rule("the PAN is a valid one", steps.PAN, {"pan": "ASHAR"}, {f"{IDENTITY}.pan_number": "ASHAR"}, "pan"),
    Rule("a birthday is a date", steps.PERSONAL, {"date_of_birth": "31/02/1990"},
         {f"{IDENTITY}.date_of_birth": "1990-02-31"}, "date_of_birth"),
    Rule("a gender of the list", steps.PERSONAL, {"gender": "X"}, {f"{IDENTITY}.gender": "X"}, "gender"),
    Rule("a marital status of the list", steps.PERSONAL, {"marital_status": "X"},
         {f"{IDENTITY}.marital_status": "X"}, "marital_status"),
    Rule("an occupation of the list", steps.PERSONAL, {"occupation": "X"},
         {f"{IDENTITY}.occupation": "X"}, "occupation"),
    Rule("a residential status of the two", steps.PERSONAL, {"kind": "FOREIGN"},
         {f"{IDENTITY}.residential_status": "FOREIGN_NATIONAL"}, "kind"),
    Rule("a citizenship of the list", steps.PERSONAL, {"country_of_citizenship": "XX"},
         {f"{IDENTITY}.country_of_citizenship_ansi_code": "XX"}, "country_of_citizenship"),
    Rule("father or spouse", steps.PERSONAL, {"father_or_spouse_name": "Ravi Rao", "father_or_spouse_is": "UNCLE"},
         {f"{IDENTITY}.kyc_relation": "UNCLE"}, "father_or_spouse_is"),
    Rule("a mobile in digits", steps.PERSONAL, {"mobile": "12345"}, {f"{CONTACT}.mobile": "12345"}, "mobile"),
    Rule("a country code in digits", steps.PERSONAL, {"isd_code": "INDIA"},
         {f"{CONTACT}.isd_code": "INDIA"}, "isd_code"),
    Rule("a source of wealth of the list", steps.FATCA, {"source_of_wealth": "X"},
         {"fatca_detail.source_of_wealth": "X"}, "source_of_wealth"),
    Rule("an income above zero", steps.FATCA, {"gross_annual_income": "0"},
         {"fatca_detail.gross_annual_income": 0}, "gross_annual_income"),
    Rule("a country of birth of the list", steps.FATCA, {"country_of_birth": "XX"},
         {"fatca_detail.country_of_birth_ansi_code": "XX"}, "country_of_birth"),
    Rule("a first country of tax unless India is the only one", steps.FATCA, {"tax_resident_only_in_india": "no"},
         {"fatca_detail.no_other_tax_residences": False}, "t1_country"),
    *[
        Rule(f"the {part} of the {nth} country of tax", steps.FATCA, {**ELSEWHERE, f"t{n}_country": country, ours: ""},
             {**{f"fatca_detail.{each}_trc_{what}": "AE" if what == "ansi_code" else "1234"
                 for each in ("first", "second", "third")[:n] for what in ("ansi_code", "taxid_type", "taxid_number")},
              "fatca_detail.no_other_tax_residences": False, f"fatca_detail.{nth}_trc_{part}": GONE}, ours)
        for n, (nth, country) in enumerate((("first", "AE"), ("second", "GB"), ("third", "SG")), start=1)
        for part, ours in (("taxid_type", f"t{n}_tax_id_kind"), ("taxid_number", f"t{n}_tax_id"))
    ],
    Rule("a nominee when one is wanted", steps.NOMINEES, {**dict.fromkeys(NOMINEE, ""), "choice": ""},
         {"nomination.skip_nomination": GONE}, "choice"),
    Rule("a share from 0 to 100", steps.NOMINEES, {"n1_share": "101"},
         {"nomination.nominee1.allocation_percentage": 101}, "n1_share"),
    Rule("a guardian's name for a nominee under 18", steps.NOMINEES, {**CHILD, "n1_guardian_relationship": "Father"},
         {"nomination.nominee1": {**ONE, "date_of_birth": "2020-03-04", "guardian_relationship": "Father"}},
         "n1_guardian_name"),
    Rule("a guardian's relationship for a nominee under 18", steps.NOMINEES, {**CHILD, "n1_guardian_name": "Ravi Rao"},
         {"nomination.nominee1": {**ONE, "date_of_birth": "2020-03-04", "guardian_name": "Ravi Rao"}},
         "n1_guardian_relationship"),
    Rule("whether the permanent address is the same", steps.ADDRESS, {"permanent_is_same": ""},
         {"perm_addr_is_corres_addr": GONE}, "permanent_is_same"),
    Rule("a permanent address where it is another", steps.ADDRESS, {"permanent_is_same": "no"},
         {"perm_addr_is_corres_addr": False, "permanent_address": {"line2": "Ashok Nagar"}}, "p_line1"),
    Rule("the PIN code of a permanent address", steps.ADDRESS, {"permanent_is_same": "no", "p_line1": "12, Main Road"},
         {"perm_addr_is_corres_addr": False, "permanent_address": {"line1": "12, Main Road"}}, "p_pincode"),
    Rule("a kind of account of the list", steps.BANK, {"kind": "X"}, {"bank_accounts.0.type": "X"}, "kind"),
    Rule("an account for residents", steps.BANK, {"kind": "NRE"}, {"bank_accounts.0.type": "NRE"}, "kind"),
    Rule("an account for non-residents", steps.BANK, {"kind": "SAVINGS"},
         {"bank_accounts.0.type": "SAVINGS"}, "kind", NRI),
    Rule("an IFSC of the directory", steps.BANK, {"ifsc": "HDFC1"}, {"bank_accounts.0.ifsc_code": "HDFC1"}, "ifsc"),
    Rule("an account number", steps.BANK, {"number": "12"}, {"bank_accounts.0.number": "12"}, "number"),
]  # fmt: skip
NAMES = [rule.words for rule in RULES]


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_our_page_refuses_at_the_field(rule: Rule) -> None:
    usual = {**TYPED, **CHILDS}[rule.step] if rule.kind == MINOR else TYPED[rule.step]
    typed = {**usual, **(NRI_TYPED.get(rule.step, {}) if rule.kind == NRI else {}), **rule.typed}
    assert rule.field in opened(rule.step, rule.kind, typed).errors


NRI_TYPED: dict[str, dict[str, str]] = {steps.ADDRESS: ADDRESS_ABROAD, steps.BANK: {"kind": "NRE"}}


@pytest.mark.django_db
@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_fps_own_refusal_lands_at_the_same_field(rule: Rule, sandbox: SandboxControl) -> None:
    body = application(rule.kind)
    messages.NewInvestor.model_validate(body)
    for path, value in rule.body.items():
        put(body, path, value)
    with pytest.raises(errors.Refused) as refused:
        send(body)
    found = [refusals.place_of(each.field) for each in refused.value.fields]
    assert (rule.step, rule.field) in found, [each.field for each in refused.value.fields]
    complaints = [{"field": each.field, "message": each.message} for each in refused.value.fields]
    form = opened(rule.step, rule.kind)
    form.show_refused(refusals.by_field(complaints, rule.step))
    assert form[rule.field].errors


class Raw:
    """A body that our own messages would not let through."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def body(self) -> dict[str, Any]:
        return self._body


def send(body: dict[str, Any]) -> people.Investor:
    raw: Any = Raw(body)
    return client().create_investor(raw, journal.About())


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set, or take away, what stands under a dotted path."""
    *way, last = path.split(".")
    place: Any = body
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    if value is GONE:
        place.pop(last, None)
    else:
        place[last] = value


def application(kind: str) -> dict[str, Any]:
    """What we would send for somebody of this kind, with everything filled in."""
    return gateway.application(queries.profile(somebody(kind)))


def somebody(kind: str) -> Investor:
    abroad = kind == NRI
    investor = factories.InvestorFactory(
        given_pan="ASHPR3751C",
        kind=kind,
        name="Asha Rao",
        date_of_birth="1990-05-17",
        gender="FEMALE",
        marital_status="SINGLE",
        occupation="DOCTOR",
        isd_code="971" if abroad else "91",
        mobile="501234567" if abroad else "9876543210",
        office_phone="0801234567",
        residence_phone="0807654321",
        father_or_spouse_name="Ravi Rao",
        father_or_spouse_is="FATHER",
        mothers_name="Lata Rao",
        source_of_wealth="SALARY",
        gross_annual_income=1_200_000,
        tax_resident_only_in_india=not abroad,
        is_politically_exposed=False,
        is_related_to_politically_exposed=False,
        nomination_opted_out=False,
        confirmed_from="203.0.113.7",
    )
    factories.NomineeFactory(investor=investor)
    factories.AddressFactory(investor=investor)
    factories.BankAccountFactory(investor=investor, provider_ref=None, kind="NRE" if abroad else "SAVINGS")
    if abroad:
        TaxResidence.objects.create(investor=investor, position=1, country="AE", tax_id_kind="TIN", tax_id="784-1990-1")
        factories.AddressFactory(investor=investor, kind=Address.Kind.OVERSEAS, **DUBAI)
    if kind == MINOR:
        investor.put_kyc_pan("ASHPR1234C", index="x" * 64)
        investor.date_of_birth, investor.guardian_date_of_birth = date(2015, 3, 4), date(1990, 5, 17)
        investor.guardian_name, investor.guardian_relationship = "Asha Rao", "Mother"
        investor.save()
    investor.refresh_from_db()
    return investor


DUBAI = {"line1": "Flat 4, Al Wasl Road", "pincode": "00000", "city": "Dubai", "state": "Dubai", "country": "AE"}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [RESIDENT, NRI, MINOR])
def test_fp_keeps_every_field_that_we_have(kind: str, sandbox: SandboxControl) -> None:
    body = application(kind)
    kept = send(body)
    assert client().fetch_investor(kept.id) == kept
    who, contact = kept.kyc_identity_detail, kept.contact_detail
    assert who
    assert contact
    assert kept.fatca_detail
    assert (who.father_or_spouse_name, who.kyc_relation, who.mothers_name) == ("Ravi Rao", "FATHER", "Lata Rao")
    assert (contact.isd_code, contact.office_telephone_no) == (body["contact_detail"]["isd_code"], "0801234567")
    if kind == NRI:
        assert who.residential_status == "NON_RESIDENT_INDIVIDUAL"
        assert kept.overseas_address
        assert kept.overseas_address.city == "Dubai"
        assert kept.fatca_detail.first_trc_taxid_number == "784-1990-1"
        assert kept.bank_accounts[0].type == "NRE"
