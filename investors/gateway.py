"""Our rows <-> FP's messages about people: KYC check, look-ups, the application, the investment account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from investors.models import Address, BankAccount, Investor, Nominee
from investors.steps import Profile
from portal import hints
from portal.errors import Failure, InvalidInput
from portal.fintech_primitives import messages
from portal.fintech_primitives.client import client
from portal.gateway import errors, journal

# Where the writes go: the journal is asked by these whether a byte of an attempt left.
INVESTOR_PATH = "/api/onb/investors"
ACCOUNT_PATH = "/api/oms/investment_accounts"
# PIN codes and branches hardly change; a day keeps typing people from asking FP at every key.
KEEP_LOOK_UPS_S = int(timedelta(days=1).total_seconds())


class LookUpDown(Failure):
    """Raised when FP cannot be asked right now."""

    code = "look_up_down"
    message = "We could not look this up just now. What you typed is still here; please try again in a minute."


# --- look-ups while typing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a PIN code is."""

    pincode: str
    city: str
    state: str


@dataclass(frozen=True)
class Branch:
    """A bank branch."""

    ifsc: str
    bank: str
    branch: str
    city: str


def find_place(pincode: str) -> Place:
    """Raises InvalidInput for a PIN code that FP does not know, LookUpDown when FP cannot be asked."""
    if (known := known_place(pincode)) is not None:
        return known
    try:
        found = client().fetch_pincode(pincode)
    except errors.Refused:
        raise InvalidInput("pincode", "India Post has no such PIN code. Please check the six digits.") from None
    except errors.GatewayError as error:
        raise LookUpDown from error
    place = Place(pincode, found.district or found.city, found.state_name)
    hints.put(_pincode_key(pincode), vars(place), KEEP_LOOK_UPS_S)
    return place


def known_place(pincode: str) -> Place | None:
    """The same without asking FP: what was looked up within a day."""
    known = hints.get(_pincode_key(pincode))
    return Place(**known) if known else None


def find_branch(ifsc: str) -> Branch:
    """Raises InvalidInput for an IFSC that FP does not know, LookUpDown when FP cannot be asked."""
    if (known := known_branch(ifsc)) is not None:
        return known
    try:
        found = client().fetch_ifsc(ifsc)
    except errors.Refused:
        raise InvalidInput("ifsc", "No branch has this IFSC. It stands on your cheque book and passbook.") from None
    except errors.GatewayError as error:
        raise LookUpDown from error
    branch = Branch(ifsc, found.bank_name, found.branch_name, found.city)
    hints.put(_ifsc_key(ifsc), vars(branch), KEEP_LOOK_UPS_S)
    return branch


def known_branch(ifsc: str) -> Branch | None:
    """The same without asking FP: what was looked up within a day."""
    known = hints.get(_ifsc_key(ifsc))
    return Branch(**known) if known else None


def _pincode_key(pincode: str) -> str:
    return f"investors:pincode:{pincode}"


def _ifsc_key(ifsc: str) -> str:
    return f"investors:ifsc:{ifsc}"


# --- KYC ------------------------------------------------------------------------------------------------------


def check_kyc(investor: Investor) -> messages.KycCheck:
    """What the registries say about the PAN on the row. Raises the gateway's errors."""
    answer = client().check_kyc(investor.pan, journal.about(investor))
    if answer.pan.strip().upper() != investor.pan:
        raise errors.Garbled("fp", "POST", "/api/kyc/check", said="the answer is about another PAN")
    return answer


def verbatim_of(answer: messages.KycCheck) -> str:
    """The registries' own words, one line per source; stored encrypted, because they repeat the PAN."""
    return "\n".join(f"{source.name}: {source.response_verbatim}" for source in answer.sources)


# --- registration ---------------------------------------------------------------------------------------------


class KnownUnderOtherDetails(Exception):
    """FP has an investor with this PAN that is not ours to adopt: no bank account of it is the one we were given."""


def find_investor(profile: Profile) -> messages.Investor | None:
    """FP's investor with this PAN and this bank account; None when FP has nobody with the PAN.

    The bank account is the proof that it is the one which we created: a PAN alone can be typed by
    anybody, and adopting by PAN would open a stranger's holdings. Raises KnownUnderOtherDetails.
    """
    pan, bank = profile.investor.pan, profile.bank
    known = [each for each in client().search_investors(pan) if _pan_of(each) == pan]
    if not known:
        return None
    for each in sorted(known, key=lambda one: (len(one.id), one.id)):
        if bank is not None and any(account.number == bank.number for account in each.bank_accounts):
            return each
    raise KnownUnderOtherDetails


def _pan_of(investor: messages.Investor) -> str:
    detail = investor.kyc_identity_detail
    return (detail.pan_number or "").strip().upper() if detail else ""


def create_investor(profile: Profile) -> messages.Investor:
    """POST the application. Raises the gateway's errors."""
    who = profile.investor
    asked = messages.NewInvestor.model_validate(application(profile))
    return client().create_investor(asked, journal.about(who, attempt_no=who.attempt_no))


def find_account(investor: Investor) -> str | None:
    """FP's investment account of a registered investor, if there is one."""
    accounts = client().list_investment_accounts(investor.provider_ref or "")
    mine = [each for each in accounts if each.primary_investor_id == investor.provider_ref]
    return mine[0].investment_account_id if mine else None


def create_account(investor: Investor) -> str:
    """POST the investment account; its id. Raises the gateway's errors."""
    about = journal.about(investor, attempt_no=investor.attempt_no)
    answer = client().create_investment_account(investor.provider_ref or "", about)
    if answer.primary_investor_id != investor.provider_ref:
        raise errors.Garbled("fp", "POST", ACCOUNT_PATH, said="an account of another investor")
    return answer.investment_account_id


def bank_ref(answer: messages.Investor, account: BankAccount) -> str | None:
    """FP's id of our bank account, matched by number; None when FP does not list it."""
    return next((each.id for each in answer.bank_accounts if each.number == account.number), None)


def application(profile: Profile) -> dict[str, Any]:
    """The body of "Create Investor" as documented; lists and optional parts only where we have them."""
    who, address, bank = profile.investor, profile.address, profile.bank
    if address is None or bank is None or who.date_of_birth is None:
        raise ValueError("an application without address, bank account or date of birth is never sent")
    return {
        "display_name": who.name,
        "perm_addr_is_corres_addr": True,
        "bank_accounts": [_bank(bank)],
        "contact_detail": {"email": who.user.email, "isd_code": "91", "mobile": who.mobile},
        "fatca_detail": {
            "country_of_birth_ansi_code": who.country_of_birth,
            "no_other_tax_residences": bool(who.tax_resident_only_in_india),
            "source_of_wealth": who.source_of_wealth,
            "gross_annual_income": who.gross_annual_income,
        },
        "nomination": nomination(opted_out=bool(who.nomination_opted_out), nominees=profile.nominees),
        "kyc_identity_detail": {
            "pan_number": who.pan,
            "name": who.name,
            "date_of_birth": who.date_of_birth.isoformat(),
            "gender": who.gender,
            "marital_status": who.marital_status,
            "occupation": who.occupation,
            "residential_status": "RESIDENT_INDIVIDUAL",
            "country_of_citizenship_ansi_code": "IN",
            "pep_exposed": bool(who.is_politically_exposed),
            "pep_related": bool(who.is_related_to_politically_exposed),
        },
        "correspondence_address": _address(address),
    }


def _bank(account: BankAccount) -> dict[str, Any]:
    return {
        "account_holder_name": account.holder_name,
        "number": account.number,
        "primary_account": True,
        "type": account.kind,
        "ifsc_code": account.ifsc,
    }


def _address(address: Address) -> dict[str, str]:
    lines = {"line1": address.line1, "line2": address.line2, "line3": address.line3}
    return {name: text for name, text in lines.items() if text} | {"pincode": address.pincode}


def nomination(*, opted_out: bool, nominees: Sequence[Nominee]) -> dict[str, Any]:
    """The section of the application about who receives the units."""
    if opted_out:
        return {"skip_nomination": True}
    people = {f"nominee{position}": _nominee(nominee) for position, nominee in enumerate(nominees, start=1)}
    return {"skip_nomination": False, **people}


def _nominee(nominee: Nominee) -> dict[str, Any]:
    person = {
        "name": nominee.name,
        "date_of_birth": nominee.date_of_birth.isoformat(),
        "relationship": nominee.relationship,
        "allocation_percentage": nominee.share,
    }
    if nominee.guardian_name:
        person |= {"guardian_name": nominee.guardian_name, "guardian_relationship": nominee.guardian_relationship}
    return person
