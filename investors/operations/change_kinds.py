"""How each kind of change is said to FP, recognised there, and made true here. A table, read by `change_sending`.

put    the whole application with the change in it (document, "Update Investor": everything, every time)
found  what FP has of it; None when FP does not have it as it shall be
keep   our own rows say the same, in the transaction that ends the change
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from investors import gateway, lifecycle, queries
from investors.changes import RULES
from investors.models import ACCOUNT_INDEX, Address, BankAccount, ChangeRequest, Investor, Nominee, TaxResidence
from investors.operations import onboarding
from portal import audit, cases, logins
from portal.encryption import blind_indexes
from portal.fintech_primitives import messages

CONTACT_CASE = "contact_differs_at_provider"
What = ChangeRequest.What
Body = dict[str, Any]
After = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of change."""

    put: Callable[[Body, After], Body]
    found: Callable[[messages.Investor, After], Any]
    keep: Callable[[ChangeRequest, After, Any, datetime], None]


def application(row: ChangeRequest) -> Body:
    """The whole application as registered, all open accounts under FP's ids, and the change in it."""
    accounts = [_account(each) for each in queries.bank_accounts_of(row.investor).filter(provider_ref__isnull=False)]
    body = {**gateway.application(queries.profile(row.investor)), "bank_accounts": accounts}
    return KINDS[row.what].put(body, json.loads(row.after))


def found(row: ChangeRequest, theirs: messages.Investor) -> Any:
    """What FP has of the change; None when FP does not have it as it shall be."""
    return KINDS[row.what].found(theirs, json.loads(row.after))


def keep(row: ChangeRequest, theirs: messages.Investor, at: datetime) -> None:
    """Our own rows say what FP has. `row` is locked and still SENDING."""
    after = json.loads(row.after)
    KINDS[row.what].keep(row, after, KINDS[row.what].found(theirs, after), at)


def _same(ours: object, theirs: object) -> bool:
    """Alike as texts: FP keeps some of them in capitals and answers null for what is empty."""
    return str(ours or "").strip().casefold() == str(theirs or "").strip().casefold()


# --- bank accounts --------------------------------------------------------------------------------------------


def _account(account: BankAccount) -> Body:
    cheque = account.cancelled_cheque.provider_ref if account.cancelled_cheque else None
    return {
        **({"cancelled_cheque": cheque} if cheque else {}),
        "id": account.provider_ref,
        "account_holder_name": account.holder_name,
        "number": account.number,
        "primary_account": account.is_primary,
        "type": account.kind,
        "ifsc_code": account.ifsc,
    }


def _with_new_account(body: Body, after: After) -> Body:
    added = {
        "account_holder_name": after["holder_name"],
        "number": after["number"],
        "primary_account": False,
        "type": after["kind"],
        "ifsc_code": after["ifsc"],
    }
    return {**body, "bank_accounts": [*body["bank_accounts"], added]}


def _new_account(theirs: messages.Investor, after: After) -> messages.BankAccount | None:
    same = (each for each in theirs.bank_accounts if each.number == after["number"])
    return next((each for each in same if each.branch is None or each.branch.ifsc_code == after["ifsc"]), None)


def _keep_new_account(row: ChangeRequest, after: After, theirs: messages.BankAccount, at: datetime) -> None:
    """The account is the investor's; money is paid out to it only after its cooling-off."""
    account = BankAccount(investor=row.investor)
    account.set_number(after["number"])
    indexes = blind_indexes(after["number"], ACCOUNT_INDEX)
    key = {"investor": row.investor, "number_index__in": indexes, "ifsc": after["ifsc"]}
    account = BankAccount.objects.filter(**key).first() or account
    for name in ("holder_name", "kind", "ifsc", "bank_name", "branch_name"):
        setattr(account, name, after[name])
    account.provider_ref, account.closed_at, account.is_primary = theirs.id, None, False
    account.payout_from = at + RULES[row.what].payouts_wait
    if row.paper_id and not account.verified:
        # The second person who let it through has seen the cheque.
        account.cancelled_cheque_id = row.paper_id
        account.verified, account.verified_at = BankAccount.Verified.CHEQUE, at
    account.save()
    audit.record(account, "bank_account.added", actor=None, at=at, change=row.code, payout_from=account.payout_from)


def _with_main_account(body: Body, after: After) -> Body:
    accounts = [{**each, "primary_account": each["id"] == after["provider_ref"]} for each in body["bank_accounts"]]
    return {**body, "bank_accounts": accounts}


def _main_account(theirs: messages.Investor, after: After) -> messages.BankAccount | None:
    return next(
        (each for each in theirs.bank_accounts if each.id == after["provider_ref"] and each.primary_account), None
    )


def _keep_main_account(row: ChangeRequest, after: After, theirs: messages.BankAccount, at: datetime) -> None:
    accounts = BankAccount.objects.select_for_update().filter(investor=row.investor)
    for old in accounts.filter(is_primary=True):
        old.is_primary = False
        old.save(update_fields=["is_primary"])
    new = accounts.get(provider_ref=theirs.id)
    new.is_primary = True
    new.save(update_fields=["is_primary"])
    audit.record(new, "bank_account.made_primary", actor=None, at=at, change=row.code)


# --- contact --------------------------------------------------------------------------------------------------


# What FP has of a contact: whose it is, its application does not ask.
CONTACT = ("email", "isd_code", "mobile")


def _with_contact(body: Body, after: After) -> Body:
    return {**body, "contact_detail": {**body["contact_detail"], **_said(after)}}


def _said(after: After) -> After:
    return {name: after[name] for name in CONTACT if name in after}


def _contact(theirs: messages.Investor, after: After) -> messages.Contact | None:
    known = theirs.contact_detail
    if known is None:
        return None
    ours = _said(after)
    theirs_now = {name: str(getattr(known, name) or "").removeprefix("+") for name in ours}
    return known if all(_same(text, theirs_now[name]) for name, text in ours.items()) else None


def _keep_email(row: ChangeRequest, after: After, theirs: object, at: datetime) -> None:
    """The login's. FP has it with each of the login's people, and was told about one of them."""
    logins.change_email(user=row.investor.user, email=after["email"], at=at)
    row.investor.email_is_of = after.get("email_is_of", row.investor.email_is_of)
    row.investor.save(update_fields=["email_is_of"])
    others = Investor.objects.filter(user=row.investor.user_id, state=lifecycle.READY).exclude(pk=row.investor_id)
    for other in others:
        title = f"FP has another email address of {other.code} than we"
        detail = f"{row.code} changed it for the login. The next change of details of {other.code} repairs FP's."
        cases.open_case(kind=CONTACT_CASE, subject=other, title=title, detail=detail, at=at)


def _keep_mobile(row: ChangeRequest, after: After, theirs: object, at: datetime) -> None:
    investor, user = row.investor, row.investor.user
    investor.mobile = user.mobile = after["mobile"]
    investor.isd_code = after["isd_code"]
    investor.mobile_is_of = after.get("mobile_is_of", investor.mobile_is_of)
    investor.save(update_fields=["mobile", "isd_code", "mobile_is_of"])
    user.save(update_fields=["mobile"])


# --- address --------------------------------------------------------------------------------------------------

LINES = ("line1", "line2", "line3")


def _addresses(after: After) -> dict[str, Address | None]:
    return {kind: Address(kind=kind, **columns) if columns else None for kind, columns in after.items()}


def _with_address(body: Body, after: After) -> Body:
    kept = {name: value for name, value in body.items() if name not in gateway.ADDRESS_SECTIONS.values()}
    return {**kept, **gateway.addresses(_addresses(after))}


def _address(theirs: messages.Investor, after: After) -> messages.Investor | None:
    """FP fills in the places of PIN codes, and may repeat an address as the permanent one."""
    if theirs.perm_addr_is_corres_addr is not None and theirs.perm_addr_is_corres_addr != (not after["PERMANENT"]):
        return None
    named = ((getattr(theirs, gateway.ADDRESS_SECTIONS[kind]), ours) for kind, ours in after.items() if ours)
    return theirs if all(known and _is_same_place(known, ours) for known, ours in named) else None


def _is_same_place(known: messages.Address, ours: After) -> bool:
    alike = _same(ours["pincode"], known.zipcode) and all(_same(ours[name], getattr(known, name)) for name in LINES)
    abroad = {"city": known.city, "state": known.state, "country": known.country_ansi_code}
    return alike and (ours["country"] == "IN" or all(_same(ours[name], text) for name, text in abroad.items()))


def _keep_address(row: ChangeRequest, after: After, theirs: object, at: datetime) -> None:
    onboarding.save_addresses(row.investor, after)


# --- nominees -------------------------------------------------------------------------------------------------


def _nominees_of(after: After) -> list[Nominee]:
    people = ({**each, "date_of_birth": date.fromisoformat(each["date_of_birth"])} for each in after["nominees"])
    return [Nominee(position=position, **each) for position, each in enumerate(people, start=1)]


def _with_nominees(body: Body, after: After) -> Body:
    return {**body, "nomination": gateway.nomination(opted_out=after["opted_out"], nominees=_nominees_of(after))}


def _nomination(theirs: messages.Investor, after: After) -> messages.Nomination | None:
    known = theirs.nomination
    if known is None or known.skip_nomination != after["opted_out"]:
        return None
    named = [each for each in (known.nominee1, known.nominee2, known.nominee3) if each]
    ours = [] if after["opted_out"] else after["nominees"]
    return known if len(ours) == len(named) and all(map(_is_same_person, ours, named)) else None


def _is_same_person(ours: After, theirs: messages.Nominee) -> bool:
    born_on = theirs.date_of_birth.isoformat() if theirs.date_of_birth else ""
    names = ("name", "relationship", "guardian_name", "guardian_relationship")
    alike = all(_same(ours[name], getattr(theirs, name)) for name in names)
    return alike and ours["share"] == theirs.allocation_percentage and ours["date_of_birth"] == born_on


def _keep_nominees(row: ChangeRequest, after: After, theirs: object, at: datetime) -> None:
    investor = row.investor
    Nominee.objects.filter(investor=investor).delete()
    investor.nomination_opted_out = after["opted_out"]
    investor.save(update_fields=["nomination_opted_out"])
    for each in _nominees_of(after) if not after["opted_out"] else ():
        each.investor = investor
        each.save()


# --- personal details -----------------------------------------------------------------------------------------

# Ours -> (FP's section, FP's name).
PERSONAL = {
    "marital_status": ("kyc_identity_detail", "marital_status"),
    "occupation": ("kyc_identity_detail", "occupation"),
    "source_of_wealth": ("fatca_detail", "source_of_wealth"),
    "gross_annual_income": ("fatca_detail", "gross_annual_income"),
}


def _with_personal(body: Body, after: After) -> Body:
    sections = {section: dict(body[section]) for section in {section for section, _ in PERSONAL.values()}}
    for name, (section, theirs) in PERSONAL.items():
        sections[section][theirs] = after[name]
    return {**body, **sections}


def _personal(theirs: messages.Investor, after: After) -> messages.Investor | None:
    there = (_is_there(theirs, section, name, after[ours]) for ours, (section, name) in PERSONAL.items())
    return theirs if all(there) else None


def _is_there(theirs: messages.Investor, section: str, name: str, wanted: object) -> bool:
    known = getattr(getattr(theirs, section), name, None)
    return known == wanted if isinstance(wanted, int) else _same(wanted, known)


def _keep_personal(row: ChangeRequest, after: After, theirs: object, at: datetime) -> None:
    for name, value in after.items():
        setattr(row.investor, name, value)
    row.investor.save(update_fields=list(after))


# --- tax ------------------------------------------------------------------------------------------------------


def _with_tax(body: Body, after: After) -> Body:
    """The income stays; countries that are named no more are not sent."""
    kept = {name: value for name, value in body["fatca_detail"].items() if "_trc_" not in name}
    return {**body, "fatca_detail": {**kept, **gateway.tax_residences(_said_residences(after))}}


def _said_residences(after: After) -> list[TaxResidence]:
    return [TaxResidence(position=n, **each) for n, each in enumerate(after["residences"], start=1)]


def _tax(theirs: messages.Investor, after: After) -> messages.Fatca | None:
    known, wanted = theirs.fatca_detail, gateway.tax_residences(_said_residences(after))
    if known is None or known.no_other_tax_residences != wanted["no_other_tax_residences"]:
        return None
    named = (name for name in type(known).model_fields if "_trc_" in name)
    return known if all(_same(wanted.get(name), getattr(known, name)) for name in named) else None


def _keep_tax(row: ChangeRequest, after: After, theirs: object, at: datetime) -> None:
    onboarding.save_tax(row.investor, after)
    row.investor.save(update_fields=["tax_resident_only_in_india"])


KINDS: dict[str, Kind] = {
    What.BANK_ACCOUNT.value: Kind(_with_new_account, _new_account, _keep_new_account),
    What.PRIMARY_BANK.value: Kind(_with_main_account, _main_account, _keep_main_account),
    What.EMAIL.value: Kind(_with_contact, _contact, _keep_email),
    What.MOBILE.value: Kind(_with_contact, _contact, _keep_mobile),
    What.ADDRESS.value: Kind(_with_address, _address, _keep_address),
    What.NOMINEES.value: Kind(_with_nominees, _nomination, _keep_nominees),
    What.PROFILE.value: Kind(_with_personal, _personal, _keep_personal),
    What.TAX.value: Kind(_with_tax, _tax, _keep_tax),
}
