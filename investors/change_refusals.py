"""Where somebody who is ready can put right what FP refused of a change, field by field.

FP is sent the whole application with every change (`change_sending`), so it may refuse the change of an address because
of the mobile number: that is mended on another page, and some of it on none. `ChangeRequest.refusal` keeps FP's
complaints as they came; what no page changes is kept with an empty `step` and is for ops.
"""

from __future__ import annotations

import re

from investors import refusals, steps
from investors.models import ChangeRequest
from investors.refusals import Complaint
from portal.gateway import errors

What = ChangeRequest.What
WHEN = "when we passed it on"
TAX_FIELDS = frozenset(
    {"tax_resident_only_in_india"}
    | {f"t{position}_{part}" for position in (1, 2, 3) for part in ("country", "tax_id_kind", "tax_id")}
)
# (kind of change, step of onboarding, its fields that the kind changes; None for all of them)
CHANGED: tuple[tuple[str, str, frozenset[str] | None], ...] = (
    (What.EMAIL, steps.PERSONAL, frozenset({"email"})),
    (What.MOBILE, steps.PERSONAL, frozenset({"isd_code", "mobile"})),
    (What.PROFILE, steps.PERSONAL, frozenset({"marital_status", "occupation"})),
    (What.PROFILE, steps.FATCA, frozenset({"source_of_wealth", "gross_annual_income"})),
    (What.TAX, steps.FATCA, TAX_FIELDS),
    (What.ADDRESS, steps.ADDRESS, None),
    (What.NOMINEES, steps.NOMINEES, None),
    (What.BANK_ACCOUNT, steps.BANK, None),
)
_ACCOUNT = re.compile(r"^bank_?accounts(?:\[(\d+)\]|\.(\d+)\b)?", re.IGNORECASE)


def told(error: errors.Refused, *, what: str, accounts: int) -> list[Complaint]:
    """FP's complaints as a change of this kind keeps them. `accounts`: how many it was told of, a new one last."""
    return [_kept(each, what, accounts) for each in refusals.told(error)]


def _kept(complaint: Complaint, what: str, accounts: int) -> Complaint:
    about_another = _is_about_another_account(complaint["field"], what, accounts)
    return complaint if what_of(complaint, what) and not about_another else {**complaint, "step": ""}


def _is_about_another_account(field: str, what: str, accounts: int) -> bool:
    """An account that is registered already: no page changes its IFSC or its number."""
    found = _ACCOUNT.match(field)
    if found is None:
        return False
    number = found[1] or found[2]
    return what != What.BANK_ACCOUNT or (number is not None and int(number) != accounts - 1)


def what_of(complaint: Complaint, asked: str) -> str:
    """The kind of change that mends it, that which was `asked` for first of all; empty when none does."""
    step, field = refusals.placed(complaint)
    is_whole = not field and not refusals.is_at_no_field(complaint)
    here = [(what, fields) for what, where, fields in CHANGED if where == step]
    fits = [what for what, fields in here if fields is None or field in fields or is_whole]
    # About a whole step that several kinds change: only that which was asked for can be meant.
    return asked if asked in fits else fits[0] if len(set(fits)) == 1 else ""


def by_field(change: ChangeRequest, what: str) -> dict[str, list[str]]:
    """Form field -> what to show at it on the page of this kind; the empty name is for the whole form."""
    shown: dict[str, list[str]] = {}
    for each in change.refusal:
        if what_of(each, change.what) == what:
            shown.setdefault(refusals.placed(each)[1], []).append(refusals.words(each, when=WHEN))
    return shown


def elsewhere(change: ChangeRequest) -> dict[str, list[str]]:
    """Other kind of change -> what was not accepted there."""
    kinds = dict.fromkeys(what_of(each, change.what) for each in change.refusal)
    others = [what for what in kinds if what and what != change.what]
    return {what: [text for texts in by_field(change, what).values() for text in texts] for what in others}


def nowhere(change: ChangeRequest) -> list[Complaint]:
    """What the investor cannot answer: ops have it as a case."""
    return [each for each in change.refusal if not what_of(each, change.what)]
