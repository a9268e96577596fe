"""What a create or update of an investor must satisfy, and the document it becomes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from ..places import country_codes, ifsc_exists, pincodes
from .common import PAN, Errors, age_on, as_date, as_int

ADULT = 18
SOURCES_OF_WEALTH = (
    "SALARY",
    "BUSINESS",
    "GIFT",
    "ANCESTRAL_PROPERTY",
    "RENTAL_INCOME",
    "PRIZE_MONEY",
    "ROYALTY",
    "OTHERS",
)
OCCUPATIONS = (
    "AGRICULTURE", "BUSINESS", "DOCTOR", "FOREX_DEALER", "GOVERNMENT_SERVICE", "HOUSE_WIFE", "OTHERS",
    "PRIVATE_SECTOR_SERVICE",
    "PROFESSIONAL", "PUBLIC_SECTOR_SERVICE", "RETIRED", "SERVICE", "STUDENT",
)  # fmt: skip
RESIDENTIAL = ("RESIDENT_INDIVIDUAL", "NON_RESIDENT_INDIVIDUAL")
GENDERS = ("MALE", "FEMALE", "OTHERS")
MARITAL = ("MARRIED", "SINGLE", "OTHERS")
RELATIONS = ("FATHER", "SPOUSE")
BANK_TYPES = ("CURRENT", "NRE", "NRO", "SAVINGS")
NOMINEES = ("nominee1", "nominee2", "nominee3")

Kind = Callable[[Any], str | None]


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must not be blank"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _pattern(expression: str, words: str) -> Kind:
    return lambda value: None if isinstance(value, str) and re.fullmatch(expression, value) else words


def _enum(allowed: tuple[str, ...]) -> Kind:
    message = f"should be one of {', '.join(allowed)}"
    return lambda value: None if isinstance(value, str) and value.upper() in allowed else message


def _date(value: Any) -> str | None:
    return None if as_date(value) else "should be a date as YYYY-MM-DD"


def _country(value: Any) -> str | None:
    return None if isinstance(value, str) and value.upper() in country_codes() else "is not a known country code"


def _above_zero(value: Any) -> str | None:
    return None if (as_int(value) or 0) > 0 else "should be greater than zero"


def _share(value: Any) -> str | None:
    share = as_int(value)
    return None if share is not None and 0 <= share <= 100 else "should be from 0 to 100"


def _ifsc(value: Any) -> str | None:
    return None if isinstance(value, str) and ifsc_exists(value.upper()) else "is not a known IFSC code"


def _isd(value: Any) -> str | None:
    return None if re.fullmatch(r"\+?\d{1,4}", str(value)) else "should be an ISD code"


_pan = _pattern(PAN.pattern, "should be a valid PAN of an individual")
_email = _pattern(r"[^@\s]+@[^@\s]+\.[^@\s]+", "should be a valid email")
_mobile = _pattern(r"\d{6,15}", "should be a valid mobile number")
_account = _pattern(r"[A-Za-z0-9]{6,20}", "should be a valid account number")

# (name, mandatory, kind) in the document's order
BANK = (
    ("account_holder_name", True, _text), ("number", True, _account), ("primary_account", True, _flag),
    ("type", True, _enum(BANK_TYPES)), ("ifsc_code", True, _ifsc), ("cancelled_cheque", False, _text),
)  # fmt: skip
CONTACT = (
    ("email", True, _email), ("isd_code", True, _isd), ("mobile", True, _mobile),
    ("office_telephone_no", False, _text), ("residence_telephone_no", False, _text),
)  # fmt: skip
TRC = tuple(
    (f"{nth}_trc_{what}", False, _country if what == "ansi_code" else _text)
    for nth in ("first", "second", "third")
    for what in ("ansi_code", "taxid_type", "taxid_number")
)
FATCA = (
    ("country_of_birth_ansi_code", True, _country), ("source_of_wealth", True, _enum(SOURCES_OF_WEALTH)),
    ("gross_annual_income", True, _above_zero), ("no_other_tax_residences", True, _flag), *TRC,
)  # fmt: skip
IDENTITY = (
    ("name", True, _text), ("father_or_spouse_name", False, _text), ("mothers_name", False, _text),
    ("ckyc_number", False, _text),
    ("kyc_relation", False, _enum(RELATIONS)), ("date_of_birth", True, _date), ("marital_status", True, _enum(MARITAL)),
    ("pan_number", False, _pan), ("gender", True, _enum(GENDERS)), ("occupation", True, _enum(OCCUPATIONS)),
    ("residential_status", True, _enum(RESIDENTIAL)), ("country_of_citizenship_ansi_code", True, _country),
    ("pan_exempt", False, _flag), ("pep_exposed", True, _flag), ("pep_related", True, _flag),
    ("guardian_relationship", False, _text),
    ("guardian_name", False, _text), ("guardian_date_of_birth", False, _date), ("guardian_pan_number", False, _pan),
    ("signature", False, _text),
)  # fmt: skip
NOMINEE = (
    ("date_of_birth", True, _date), ("name", True, _text), ("relationship", True, _text),
    ("guardian_name", False, _text),
    ("guardian_relationship", False, _text), ("allocation_percentage", True, _share),
)  # fmt: skip
ADDRESS = (
    ("line1", True, _text), ("line2", False, _text), ("line3", False, _text), ("city", False, _text),
    ("state", False, _text),
    ("pincode", False, _text), ("zipcode", False, _text), ("country_ansi_code", False, _country),
)  # fmt: skip
UPPER = {
    "source_of_wealth",
    "occupation",
    "residential_status",
    "gender",
    "marital_status",
    "kyc_relation",
    "type",
    "ifsc_code",
}
EMPTY = (None, "")
Fields = tuple[tuple[str, bool, Kind], ...]


def _section(errors: Errors, where: str, given: Any, fields: Fields) -> dict[str, Any]:
    """Checks each field and returns the section with every documented key; blanks become null."""
    if not isinstance(given, dict):
        errors.add(where, "is mandatory")
        return {}
    clean: dict[str, Any] = {}
    for name, mandatory, kind in fields:
        value = given.get(name)
        clean[name] = None
        if value in EMPTY:
            errors.check(not mandatory, f"{where}.{name}", "is mandatory")
        elif message := kind(value):
            errors.add(f"{where}.{name}", message)
        else:
            clean[name] = value.upper() if name in UPPER else value
    return clean


def _mandatory_if(
    errors: Errors, condition: object, section: dict[str, Any], where: str, names: tuple[str, ...], why: str
) -> None:
    for name in names if condition else ():
        errors.check(section.get(name) not in EMPTY, f"{where}.{name}", f"is mandatory {why}")


def _contact(errors: Errors, given: Any) -> dict[str, Any]:
    contact = _section(errors, "contact_detail", given, CONTACT)
    if contact.get("isd_code"):
        contact["isd_code"] = int(str(contact["isd_code"]).lstrip("+"))
    return contact


def _fatca(errors: Errors, given: Any) -> dict[str, Any]:
    fatca = _section(errors, "fatca_detail", given, FATCA)
    if fatca.get("gross_annual_income"):
        fatca["gross_annual_income"] = as_int(fatca["gross_annual_income"])
    elsewhere = fatca.get("no_other_tax_residences") is False
    _mandatory_if(
        errors, elsewhere, fatca, "fatca_detail", ("first_trc_ansi_code",), "when there are other tax residences"
    )
    for nth in ("first", "second", "third"):
        names = (f"{nth}_trc_taxid_type", f"{nth}_trc_taxid_number")
        _mandatory_if(
            errors, fatca.get(f"{nth}_trc_ansi_code"), fatca, "fatca_detail", names, f"with {nth}_trc_ansi_code"
        )
    return fatca


def _identity(errors: Errors, given: Any, today: dt.date) -> dict[str, Any]:
    who = _section(errors, "kyc_identity_detail", given, IDENTITY)
    who["pan_exempt"] = bool(who.get("pan_exempt"))
    where, born = "kyc_identity_detail", as_date(who.get("date_of_birth"))
    minor = born is not None and age_on(born, today) < ADULT
    errors.check(born is None or born <= today, f"{where}.date_of_birth", "should be in the past")
    guardian = ("guardian_name", "guardian_relationship", "guardian_date_of_birth", "guardian_pan_number")
    _mandatory_if(errors, minor, who, where, guardian, "when the investor is a minor")
    if not minor and isinstance(given, dict) and given.get("pan_number") in EMPTY:
        _mandatory_if(errors, not who["pan_exempt"], who, where, ("pan_number",), "unless pan_exempt is true")
    return who


def _nominee(errors: Errors, where: str, given: Any, today: dt.date) -> dict[str, Any]:
    nominee = _section(errors, where, given, NOMINEE)
    born = as_date(nominee.get("date_of_birth"))
    if nominee.get("allocation_percentage") is not None:
        nominee["allocation_percentage"] = as_int(nominee["allocation_percentage"])
    errors.check(born is None or born <= today, f"{where}.date_of_birth", "should be in the past")
    minor = born is not None and age_on(born, today) < ADULT
    _mandatory_if(
        errors, minor, nominee, where, ("guardian_name", "guardian_relationship"), "when the nominee is a minor"
    )
    return nominee


def _nomination(errors: Errors, given: Any, today: dt.date) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("skip_nomination"), bool):
        errors.add("nomination" if not isinstance(given, dict) else "nomination.skip_nomination", "is mandatory")
        return {}
    nomination: dict[str, Any] = {"skip_nomination": given["skip_nomination"], **dict.fromkeys(NOMINEES)}
    if given["skip_nomination"]:
        return nomination
    total = 0
    for name in NOMINEES:
        if given.get(name) is None and total < 100:
            why = (
                "when skip_nomination is false" if name == "nominee1" else "while the shares before it do not make 100"
            )
            errors.add(f"nomination.{name}", f"is mandatory {why}")
            return nomination
        if given.get(name) is not None:
            nomination[name] = _nominee(errors, f"nomination.{name}", given[name], today)
            total += as_int(nomination[name].get("allocation_percentage")) or 0
    errors.check(total == 100, "nomination", "allocation percentages should add up to 100")
    return nomination


def _address(errors: Errors, where: str, given: Any, kind: str) -> dict[str, Any]:
    address = _section(errors, where, given, ADDRESS)
    if not address:
        return {}
    if (pincode := address.pop("pincode", None)) is not None:
        known = pincodes().get(str(pincode))
        if errors.check(known, f"{where}.pincode", "is not a known pincode") and known:
            address |= {
                "zipcode": known.code,
                "city": known.district,
                "state": known.state.upper(),
                "country_ansi_code": "IN",
            }
    elif address["zipcode"] in EMPTY:
        errors.add(f"{where}.pincode", "is mandatory when zipcode is not given")
    else:
        _mandatory_if(errors, True, address, where, ("city", "state", "country_ansi_code"), "with zipcode")
    keys = ("line1", "line2", "line3", "type", "zipcode", "city", "state", "country_ansi_code")
    return {key: kind if key == "type" else address.get(key) for key in keys}


def _addresses(errors: Errors, given: dict[str, Any], non_resident: bool) -> dict[str, Any]:
    found = {
        "correspondence_address": _address(
            errors, "correspondence_address", given.get("correspondence_address"), "CORRESPONDENCE"
        )
    }
    if given.get("perm_addr_is_corres_addr") is False:
        found["permanent_address"] = _address(errors, "permanent_address", given.get("permanent_address"), "PERMANENT")
    if non_resident or given.get("overseas_address"):
        found["overseas_address"] = _address(errors, "overseas_address", given.get("overseas_address"), "OVERSEAS")
    return found


# FEMA (Deposit) Regulations 2016; FP answers `tax_status_bank_mismatch` where an order shows it (providers.md 3.8).
BANK_TYPES_OF = {"RESIDENT_INDIVIDUAL": ("CURRENT", "SAVINGS"), "NON_RESIDENT_INDIVIDUAL": ("NRE", "NRO")}


def _banks(errors: Errors, given: Any, status: object) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given:
        errors.add("bank_accounts", "is mandatory")
        return []
    banks = []
    for n, bank in enumerate(given):
        clean = _section(errors, f"bank_accounts[{n}]", bank, BANK)
        fits = BANK_TYPES_OF.get(str(status), BANK_TYPES)
        kind = clean.get("type")
        errors.check(kind is None or kind in fits, f"bank_accounts[{n}].type", f"should be one of {', '.join(fits)}")
        banks.append(clean | {"id": as_int(bank.get("id")) if isinstance(bank, dict) else None})
    return banks


def clean_investor(given: dict[str, Any], today: dt.date) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The investor's document and bank accounts; raises Problem 400 with every field error."""
    errors = Errors()
    errors.check(isinstance(given.get("perm_addr_is_corres_addr"), bool), "perm_addr_is_corres_addr", "is mandatory")
    for name in ("display_name", "ip_address"):
        errors.check(given.get(name) is None or isinstance(given[name], str), name, "should be a text")
    identity = _identity(errors, given.get("kyc_identity_detail"), today)
    document = {
        "display_name": given.get("display_name"),
        "perm_addr_is_corres_addr": given.get("perm_addr_is_corres_addr"),
        "ip_address": given.get("ip_address"),
        "meta": given.get("meta"),
        "nomination": _nomination(errors, given.get("nomination"), today),
        "contact_detail": _contact(errors, given.get("contact_detail")),
        "fatca_detail": _fatca(errors, given.get("fatca_detail")),
        "kyc_identity_detail": identity,
        **_addresses(errors, given, identity.get("residential_status") == "NON_RESIDENT_INDIVIDUAL"),
    }
    banks = _banks(errors, given.get("bank_accounts"), identity.get("residential_status"))
    if banks:
        primaries = sum(1 for bank in banks if bank.get("primary_account"))
        errors.check(primaries <= 1, "bank_accounts", "only one account can be primary")
    errors.stop()
    return document, banks
