"""What an investor may change once ready, as a table: what waits, who must look at it, and who is told.

    cooling        from the investor's code until the change is passed on
    payouts_wait   from the moment at which it is done until money may be paid out to it
    second_person  does somebody here look at it first? (nobody decides what they asked for themselves)
    tells_both     are the contact before and the contact after it both told?
    proves_new     must a second code come back from the new address, so that nobody locks themselves out?
    apart_from     the other kind of contact: neither is asked for within `gap` after the other was changed

Sources: reliability.md P31 (AMFI's best practice of 2018: ten days between changes of contact, and before money goes to
an account that was changed) and P34 (a change of bank or mobile needs a second person).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from investors.models import ChangeRequest

NONE, TEN_DAYS = timedelta(0), timedelta(days=10)
What = ChangeRequest.What


@dataclass(frozen=True)
class Rule:
    """What one kind of change must go through."""

    cooling: timedelta = NONE
    payouts_wait: timedelta = NONE
    second_person: bool = False
    tells_both: bool = False
    proves_new: bool = False
    apart_from: str = ""
    gap: timedelta = NONE
    source: str = ""


RULES: dict[str, Rule] = {
    What.ADDRESS: Rule(),
    What.NOMINEES: Rule(),
    What.PROFILE: Rule(),
    What.TAX: Rule(),
    What.BANK_ACCOUNT: Rule(payouts_wait=TEN_DAYS, second_person=True, source="P31, P34"),
    What.PRIMARY_BANK: Rule(cooling=TEN_DAYS, second_person=True, source="P31, P34"),
    What.EMAIL: Rule(
        cooling=TEN_DAYS, tells_both=True, proves_new=True, apart_from=What.MOBILE, gap=TEN_DAYS, source="P31"
    ),
    What.MOBILE: Rule(
        cooling=TEN_DAYS,
        second_person=True,
        tells_both=True,
        apart_from=What.EMAIL,
        gap=TEN_DAYS,
        source="P31, P34",
    ),
}
