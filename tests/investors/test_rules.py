"""What may stand in an application, and where FP's complaints land. No database."""

from __future__ import annotations

from datetime import date

import pytest

from investors import gateway, kyc_reasons, refusals, rules
from investors.forms import AddressForm, BankForm, FatcaForm, NomineesForm, PanForm, PersonalForm, StepForm, countries
from investors.models import Investor
from investors.steps import Profile
from tests.investors.applying import BANK, NOMINEE, OPT_OUT, PERSONAL


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Asha   Rao ", "Asha Rao"),
        ("A. P. J. O’Brien-D'Souza", "A. P. J. O'Brien-D'Souza"),
        ("José Ürün", "Jose Urun"),
        ("Ｍｅｅｎａ", "Meena"),
    ],
)
def test_keeps_names_as_registrars_can(typed: str, kept: str) -> None:
    assert rules.clean_name(typed) == kept


@pytest.mark.parametrize(
    "typed", ["राव", "Asha 🏠", "Asha\u202eoaR", "Asha\u200dRao", "12", "Asha 2nd", "<b>Asha</b>", "", "x" * 71]
)
def test_refuses_names_that_registrars_cannot_keep(typed: str) -> None:
    with pytest.raises(ValueError):
        rules.clean_name(typed)


def test_says_which_character_of_an_address_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="leave out: 🏠"):
        rules.clean_line("12 🏠 Road")
    with pytest.raises(ValueError, match="hidden character"):
        rules.clean_line("12 \u202e Road")
    with pytest.raises(ValueError, match="40 characters"):
        rules.clean_line("x" * 41)
    assert rules.clean_line("Flat 12/B, 3rd Floor – Tower #4") == "Flat 12/B, 3rd Floor - Tower #4"


@pytest.mark.parametrize(("typed", "rupees"), [("12,00,000", 1_200_000), ("₹ 5 000.00", 5_000), ("1", 1)])
def test_reads_rupees_as_people_type_them(typed: str, rupees: int) -> None:
    assert rules.clean_rupees(typed) == rupees


@pytest.mark.parametrize("typed", ["0", "-5", "1.50", "1e9", "ten", "9" * 13, "١٢"])
def test_refuses_what_is_no_amount_of_rupees(typed: str) -> None:
    with pytest.raises(ValueError):
        rules.clean_rupees(typed)


def test_knows_who_is_eighteen() -> None:
    assert rules.age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert rules.age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18
    rules.check_adult(date(2008, 11, 20), date(2026, 11, 20))
    for born_on in (date(2008, 11, 21), date(2026, 11, 21), date(1890, 1, 1)):
        with pytest.raises(ValueError):
            rules.check_adult(born_on, date(2026, 11, 20))


@pytest.mark.parametrize("number", ["12345", "1" * 17, "12AB56", "１２３４５６７"])
def test_refuses_what_is_no_account_number(number: str) -> None:
    with pytest.raises(ValueError):
        rules.clean_account_number(number)


def test_keeps_leading_zeros_of_an_account_number() -> None:
    assert rules.clean_account_number("0000 0001 2344-55") == "00000001234455"


# --- forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["17/05/1990", "17-05-1990", "1990-05-17", "17 May 1990"])
def test_takes_a_date_as_people_write_it(typed: str) -> None:
    form = PersonalForm({**PERSONAL, "date_of_birth": typed})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["date_of_birth"] == date(1990, 5, 17)


@pytest.mark.parametrize("typed", ["31/02/1990", "05/17/1990", "1990", "soon"])
def test_says_how_a_date_is_written(typed: str) -> None:
    form = PersonalForm({**PERSONAL, "date_of_birth": typed})
    assert form.errors == {"date_of_birth": ["Write the date as day/month/year, for example 31/12/1990."]}


@pytest.mark.parametrize("typed", ["ABCDE1234", "ABCCE1234F", "ABCPE12345", "ABCPE1234F\x00", "🏠"])
def test_refuses_what_is_no_persons_pan(typed: str) -> None:
    assert not PanForm({"pan": typed}).is_valid()


def test_cleans_a_pan_and_a_mobile_as_people_type_them() -> None:
    form = PanForm({"pan": " ashpr 3751c "})
    assert form.is_valid()
    assert form.cleaned_data["pan"] == "ASHPR3751C"
    form = PersonalForm(PERSONAL)
    assert form.is_valid()
    assert form.cleaned_data["mobile"] == "9876543210"


def test_offers_the_countries_that_fp_takes_with_india_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_taken", [("AE", "United Arab Emirates"), ("IN", "India")])
    assert countries() == [("IN", "India"), ("AE", "United Arab Emirates")]


def test_offers_the_real_world_before_fp_has_said_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_taken", [])
    codes = [code for code, _ in countries()]
    assert codes[0] == "IN"
    assert {"US", "GB", "AE"} <= set(codes)
    assert not {"EU", "ZZ", "UN"} & set(codes)
    assert len(codes) == len(set(codes)) > 190


SECOND = {"n2_name": "Tara", "n2_relationship": "Daughter", "n2_date_of_birth": "04/03/2020", "n2_share": "40"}
GUARDIAN = {"n2_guardian_name": "Ravi Rao", "n2_guardian_relationship": "Father"}


def test_takes_two_nominees_one_of_them_a_minor() -> None:
    form = NomineesForm({**NOMINEE, "n1_share": "60", **SECOND, **GUARDIAN})
    assert form.is_valid(), form.errors
    assert [(one["name"], one["share"], one["guardian_name"]) for one in form.values["nominees"]] == [
        ("Lata Rao", 60, ""),
        ("Tara", 40, "Ravi Rao"),
    ]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, {"choice"}),
        ({"choice": "name"}, {"n1_name", "n1_relationship", "n1_date_of_birth", "n1_share"}),
        ({**NOMINEE, "n1_share": "99"}, {"n1_share"}),
        ({**NOMINEE, "n1_share": "0"}, {"n1_share"}),
        ({**NOMINEE, "n1_share": "60", **SECOND}, {"n2_guardian_name", "n2_guardian_relationship"}),
        ({**NOMINEE, "n2_name": "Tara"}, {"n2_relationship", "n2_date_of_birth", "n2_share"}),
        ({**NOMINEE, "n1_date_of_birth": "01/01/2999"}, {"n1_date_of_birth"}),
        ({**NOMINEE, "n1_name": "L" * 36}, {"n1_name"}),
    ],
)
def test_names_what_is_wrong_with_nominees_at_their_fields(changes: dict[str, str], where: set[str]) -> None:
    assert set(NomineesForm(changes).errors) == where


FORMS = (PanForm, PersonalForm, FatcaForm, AddressForm, NomineesForm, BankForm)


@pytest.mark.parametrize("form", FORMS)
def test_says_at_each_empty_field_what_to_enter_there(form: type[StepForm]) -> None:
    errors = form({"choice": "name", "n1_share": ""}).errors
    assert errors
    for name, texts in errors.items():
        assert len(texts) == 1, name
        assert "required" not in texts[0], name
        assert texts[0].startswith(("Enter ", "Choose ", "Answer ")), (name, texts)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("typed", ["x" * 5000, "<script>", "🏠", "-1", "0", "17/05/2190"])
def test_explains_every_strange_answer_in_our_own_words(form: type[StepForm], typed: str) -> None:
    names = [name for name in form().fields if name != "choice"]
    errors = form({"choice": "name", **dict.fromkeys(names, typed)}).errors
    assert errors
    for name, texts in errors.items():
        for text in texts:
            assert "Ensure this value" not in text, name
            assert "Select a valid choice" not in text, name
            assert typed not in text or len(typed) == 1, name


def test_opting_out_needs_nothing_else_and_ignores_what_stands_there() -> None:
    form = NomineesForm({**OPT_OUT, "n1_share": "abc", "n2_name": "🏠"})
    assert form.is_valid(), form.errors
    assert form.values == {"opted_out": True, "nominees": []}


def test_offers_residents_no_account_for_non_residents() -> None:
    resident = BankForm.opened(Profile(Investor()))
    assert [value for value, _ in resident.fields["kind"].choices] == ["SAVINGS", "CURRENT"]
    abroad = BankForm.opened(Profile(Investor(kind=Investor.Kind.NRI)))
    assert [value for value, _ in abroad.fields["kind"].choices] == ["NRE", "NRO"]


def test_the_account_number_is_typed_twice_alike() -> None:
    assert set(BankForm({**BANK, "number_again": "50100012341122"}).errors) == {"number_again"}
    assert set(BankForm({**BANK, "number": "", "number_again": ""}).errors) == {"number", "number_again"}
    assert BankForm({**BANK, "number": "", "number_again": ""}, saved_end="1121").is_valid()
    assert set(BankForm({**BANK, "number_again": ""}, saved_end="1121").errors) == {"number_again"}


# --- where FP's complaints land -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fp", "step", "field"),
    [
        ("kyc_identity_detail.name", "personal", "name"),
        ("kyc_identity_detail.pan_number", "pan", "pan"),
        ("kyc_identity_detail.pep_exposed", "fatca", "is_politically_exposed"),
        ("kycIdentityDetail.dateOfBirth", "personal", "date_of_birth"),
        ("contact_detail.mobile", "personal", "mobile"),
        ("fatca_detail.gross_annual_income", "fatca", "gross_annual_income"),
        ("fatca_detail.country_of_birth_ansi_code", "fatca", "country_of_birth"),
        ("correspondence_address.pincode", "address", "pincode"),
        ("correspondence_address.line2", "address", "line2"),
        ("nomination", "nominees", ""),
        ("nomination.nominee2.date_of_birth", "nominees", "n2_date_of_birth"),
        ("nomination.nominee1.allocation_percentage", "nominees", "n1_share"),
        ("bank_accounts[0].ifsc_code", "bank", "ifsc"),
        ("bank_accounts[0].number", "bank", "number"),
        ("bank_accounts", "bank", ""),
        ("kyc_identity_detail.signature", "papers", "SIGNATURE"),
        ("perm_addr_is_corres_addr", "address", "permanent_is_same"),
        ("", "", ""),
    ],
)
def test_finds_our_field_for_fps(fp: str, step: str, field: str) -> None:
    assert refusals.place_of(fp) == (step, field)


def test_repeats_fps_reason_without_personal_data() -> None:
    said = refusals.words({"field": "x", "message": "ASHPR3751C is not valid"})
    assert "ASHPR3751C" not in said
    assert "is not valid" in said
    assert "check it" in refusals.words({"field": "x", "message": "m" * 500})


@pytest.mark.parametrize("word", [*kyc_reasons.REASONS, "UNDER_PROCESS", "On Hold", "something new", ""])
def test_explains_every_reason(word: str) -> None:
    entry = kyc_reasons.default(word)
    assert all(text for text in vars(entry).values() if isinstance(text, str))
    if word == "UNDER_PROCESS":
        assert entry is kyc_reasons.REASONS["underprocess"]


@pytest.mark.parametrize("word", ["onhold", "rejected", "deactivated"])
def test_promises_no_purchase_where_kyc_stops_everything(word: str) -> None:
    meanwhile = kyc_reasons.default(word).meanwhile
    assert "no purchase" in meanwhile
    assert "first purchase" not in meanwhile
