"""What lies on the desk before an ops day begins. Run inside the stack, as a process of its own.

`python -m tests.journeys.desk_day usha@journey.example ORD-... ORD-...` opens a case about each of these orders, and
has their investor ask for another bank account, with the code typed.
"""

from __future__ import annotations

import sys

import django


def main(email: str, *codes: str) -> None:
    """Cases and a change that waits for a second person."""
    django.setup()
    from investors.models import Investor
    from orders.models import MfOrder
    from orders.operations.news import CONFLICT_CASE
    from portal import cases, clock

    for code in codes:
        order = MfOrder.objects.get(code=code)
        title = f"Order {code}: FP said something that does not fit"
        # A kind that no comparison and no sweep closes by itself.
        cases.open_case(kind=CONFLICT_CASE, subject=order, title=title, detail="", at=clock.now(), rupees=order.amount)
    _another_bank(Investor.objects.get(user__email=email))


def _another_bank(investor: object) -> None:
    from investors.operations import bank_accounts, changes, consents
    from portal import clock, identifiers

    # The code lies in a mail; codes have journeys of their own.
    consents._matches = lambda consent, otp: otp == "123456"  # type: ignore[assignment]
    asked = bank_accounts.ask_to_add(
        investor=investor,  # type: ignore[arg-type]
        ifsc="ICIC0000611",
        number="50100099991121",
        kind="SAVINGS",
        holder_name=investor.name,  # type: ignore[attr-defined]
        form_ref=identifiers.new_client_ref(),
        ip=None,
        at=clock.now(),
    )
    changes.confirm(investor=investor, code=asked.code, otp="123456", ip=None, at=clock.now())  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
