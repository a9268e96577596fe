"""Our rows <-> FP's messages about people: KYC check, look-ups, the application, the investment account."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from investors import comparing, merged_banks
from investors.countries import of_the_world
from investors.models import Address, BankAccount, Document, Investor, Nominee, TaxResidence
from investors.steps import Profile
from portal import hints
from portal.errors import Failure, InvalidInput
from portal.fintech_primitives import messages
from portal.fintech_primitives.client import client
from portal.fintech_primitives.messages import records
from portal.gateway import errors, journal
from portal.gateway.journal import fenced

# Where the writes go: the journal is asked by these whether a byte of an attempt left.
INVESTOR_PATH = "/api/onb/investors"
ACCOUNT_PATH = "/api/oms/investment_accounts"
# PIN codes and branches hardly change; a day keeps typing people from asking FP at every key.
ASK_AGAIN_S = 600
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


class OldCode(InvalidInput):
    """Raised for an IFSC that ended when its bank became part of another one; `instead` is the branch's new code."""

    def __init__(self, bank: merged_banks.Merged, instead: Branch | None) -> None:
        if instead:
            now = f"This branch is now {instead.ifsc}, {instead.branch}: compare it with a newer cheque book."
        else:
            now = f"Your IFSC begins with {bank.became} now: it stands on newer cheque books and in the bank's app."
        super().__init__("ifsc", f"{bank.words} {now} The account number stays as it is.")
        self.instead = instead.ifsc if instead else ""


def find_branch(ifsc: str) -> Branch:
    """Raises InvalidInput for an IFSC that FP does not know or that has ended, LookUpDown when FP cannot be asked."""
    if (merged := merged_banks.of(ifsc)) is not None:
        raise OldCode(merged, _new_branch(merged.new_code(ifsc)))
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


def _new_branch(ifsc: str) -> Branch | None:
    """The branch of a code that follows from an old one, if FP knows it: nobody is offered a guess."""
    try:
        return find_branch(ifsc) if ifsc else None
    except Failure:
        return None


def known_branch(ifsc: str) -> Branch | None:
    """The same without asking FP: what was looked up within a day."""
    known = hints.get(_ifsc_key(ifsc))
    return Branch(**known) if known else None


def known_new_code(ifsc: str) -> str:
    """What an ended code has become, where FP was asked about that branch within a day; else an empty text."""
    merged = merged_banks.of(ifsc)
    new = merged.new_code(ifsc) if merged else ""
    return new if new and known_branch(new) else ""


def _pincode_key(pincode: str) -> str:
    return f"investors:pincode:{pincode}"


def _ifsc_key(ifsc: str) -> str:
    return f"investors:ifsc:{ifsc}"


def countries() -> list[tuple[str, str]]:
    """(ISO 3166 code, name) of every country that FP takes, India first; of all the world before FP has said it."""
    return [("IN", "India"), *((code, name) for code, name in _taken or of_the_world() if code != "IN")]


def learn_countries() -> None:
    """Ask FP which countries it takes: once a process and day. When it cannot be asked, again after ten minutes."""
    global _taken, _ask_again_at
    now = time.monotonic()
    if now < _ask_again_at:
        return
    try:
        found = [(each.ansi_code.upper(), each.name) for each in client().list_countries()]
    except errors.GatewayError:
        found = []
    _taken = sorted(found, key=lambda pair: pair[1]) or _taken
    _ask_again_at = now + (KEEP_LOOK_UPS_S if found else ASK_AGAIN_S)


_taken: list[tuple[str, str]] = []
_ask_again_at = 0.0


# --- KYC ------------------------------------------------------------------------------------------------------


def check_kyc(investor: Investor) -> messages.KycCheck:
    """What the registries say about the PAN on the row. Raises the gateway's errors."""
    answer = client().check_kyc(investor.kyc_pan, journal.about(investor))
    if answer.pan.strip().upper() != investor.kyc_pan:
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
    asked = messages.NewInvestor.checked(application(profile))
    return client().create_investor(asked, fenced(who, attempt_no=who.attempt_no))


def find_corrected(profile: Profile) -> messages.Investor | None:
    """FP's investor where it holds the whole application as it stands here now; None where it does not yet."""
    theirs = client().fetch_investor(profile.investor.provider_ref or "")
    return theirs if comparing.holds(theirs, application(profile)) else None


def correct_investor(profile: Profile) -> messages.Investor:
    """POST the whole application again, to the investor that FP has. Raises the gateway's errors."""
    who = profile.investor
    asked = messages.NewInvestor.checked(application(profile))
    answer = client().update_investor(who.provider_ref or "", asked, fenced(who, attempt_no=who.attempt_no))
    if answer.id != who.provider_ref:
        raise errors.Garbled("fp", "POST", INVESTOR_PATH, said="the answer is about another investor")
    return answer


def find_account(investor: Investor) -> str | None:
    """FP's investment account of a registered investor, if there is one."""
    accounts = client().list_investment_accounts(investor.provider_ref or "")
    mine = [each for each in accounts if each.primary_investor_id == investor.provider_ref]
    return mine[0].investment_account_id if mine else None


def create_account(investor: Investor) -> str:
    """POST the investment account; its id. Raises the gateway's errors."""
    about = fenced(investor, attempt_no=investor.attempt_no)
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
    places = {"CORRESPONDENCE": address, "PERMANENT": profile.permanent, "OVERSEAS": profile.overseas}
    return {
        "display_name": who.name,
        "bank_accounts": [_bank(bank)],
        "contact_detail": _contact(who),
        "fatca_detail": _fatca(who, profile.residences),
        "nomination": nomination(opted_out=who.is_minor or bool(who.nomination_opted_out), nominees=profile.nominees),
        "kyc_identity_detail": _identity(profile),
        **addresses(places),
        **_given(ip_address=who.confirmed_from),
    }


def _given(**values: Any) -> dict[str, Any]:
    """What there is of these: FP takes a field that is left out, and not an empty one."""
    return {name: value for name, value in values.items() if value not in (None, "")}


def _contact(who: Investor) -> dict[str, Any]:
    phones = _given(office_telephone_no=who.office_phone, residence_telephone_no=who.residence_phone)
    return {"email": who.user.email, "isd_code": who.isd_code, "mobile": who.mobile, **phones}


NTH = ("first", "second", "third")


def _fatca(who: Investor, residences: Sequence[TaxResidence]) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "country_of_birth_ansi_code": who.country_of_birth,
        "source_of_wealth": who.source_of_wealth,
        "gross_annual_income": who.gross_annual_income,
    }
    return detail | tax_residences(residences) | {"no_other_tax_residences": bool(who.tax_resident_only_in_india)}


def tax_residences(residences: Sequence[TaxResidence]) -> dict[str, Any]:
    """The part of the section about where tax is paid besides in India."""
    said: dict[str, Any] = {"no_other_tax_residences": not residences}
    for nth, each in zip(NTH, residences, strict=False):
        said[f"{nth}_trc_ansi_code"] = each.country
        said[f"{nth}_trc_taxid_type"] = each.tax_id_kind
        said[f"{nth}_trc_taxid_number"] = each.tax_id
    return said


STATUSES = {Investor.Kind.NRI: "NON_RESIDENT_INDIVIDUAL"}


def _identity(profile: Profile) -> dict[str, Any]:
    who = profile.investor
    born, guardian_born = who.date_of_birth, who.guardian_date_of_birth
    return {
        "pan_number": who.pan,
        "name": who.name,
        "date_of_birth": born.isoformat() if born else "",
        "gender": who.gender,
        "marital_status": who.marital_status,
        "occupation": who.occupation,
        "residential_status": STATUSES.get(Investor.Kind(who.kind), "RESIDENT_INDIVIDUAL"),
        "country_of_citizenship_ansi_code": who.country_of_citizenship,
        "pep_exposed": bool(who.is_politically_exposed),
        "pep_related": bool(who.is_related_to_politically_exposed),
        **_given(
            father_or_spouse_name=who.father_or_spouse_name,
            kyc_relation=who.father_or_spouse_is,
            mothers_name=who.mothers_name,
            signature=profile.signature.provider_ref if profile.signature else None,
            guardian_name=who.guardian_name,
            guardian_relationship=who.guardian_relationship,
            guardian_date_of_birth=guardian_born.isoformat() if guardian_born else None,
            guardian_pan_number=who.guardian_pan,
        ),
    }


def _bank(account: BankAccount) -> dict[str, Any]:
    cheque = account.cancelled_cheque.provider_ref if account.cancelled_cheque else None
    return {
        "account_holder_name": account.holder_name,
        "number": account.number,
        "primary_account": True,
        "type": account.kind,
        "ifsc_code": account.ifsc,
        # "A bank account without `id` is added" (document, "Update Investor"). Before its first answer there is none.
        **_given(id=account.provider_ref, cancelled_cheque=cheque),
    }


ADDRESS_SECTIONS = {
    "CORRESPONDENCE": "correspondence_address",
    "PERMANENT": "permanent_address",
    "OVERSEAS": "overseas_address",
}


def addresses(places: Mapping[str, Address | None]) -> dict[str, Any]:
    """The sections of the application about addresses: kind -> address, None where there is none."""
    named = {ADDRESS_SECTIONS[kind]: _address(each) for kind, each in places.items() if each}
    return {"perm_addr_is_corres_addr": places["PERMANENT"] is None, **named}


def _address(address: Address) -> dict[str, str]:
    """In India the PIN code tells the rest; abroad FP wants all of it (given document, "Address params")."""
    lines = _given(line1=address.line1, line2=address.line2, line3=address.line3)
    if address.country == "IN":
        return lines | {"pincode": address.pincode}
    place = {"city": address.city, "state": address.state, "country_ansi_code": address.country}
    return lines | {"zipcode": address.pincode, **place}


def upload(investor: Investor, document: Document, content: bytes) -> str:
    """POST a signature or a cheque; FP's id of the file. Raises the gateway's errors."""
    extension = document.media_type.rpartition("/")[2]
    name = f"{document.kind.lower()}.{extension}"
    file = records.Upload(filename=name, content_type=document.media_type, content=content)
    return client().create_file(file, fenced(investor, attempt_no=investor.attempt_no)).id


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
