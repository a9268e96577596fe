"""The paper mandate, filled and ready to print and sign: made on demand, never stored, because it shows the account.

Layout and words: NPCI, NACH Procedural Guidelines, "Mandate form (debit)". UMRN, sponsor bank and utility code are the
sponsor bank's to fill in.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from investors.models import BankAccount, Mandate
from portal import money

TEMPLATE = Path(__file__).with_name("nach_form.typ")
# The form's own boxes for the type of the account.
ACCOUNT_BOXES = ("SB", "CA", "CC", "SB-NRE", "SB-NRO", "Other")
BOX_OF = {
    BankAccount.Kind.SAVINGS: "SB",
    BankAccount.Kind.CURRENT: "CA",
    BankAccount.Kind.NRE: "SB-NRE",
    BankAccount.Kind.NRO: "SB-NRO",
}
FREQUENCIES = ("Monthly", "Quarterly", "Half yearly", "Yearly", "As and when presented")
_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen""".split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_SIZES = ((10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand"), (100, "hundred"))


def in_words(rupees: int) -> str:
    """Whole rupees in English, counted the Indian way: `one lakh twenty-five thousand`."""
    for size, word in _SIZES:
        if rupees >= size:
            rest = f" {in_words(rupees % size)}" if rupees % size else ""
            return f"{in_words(rupees // size)} {word}{rest}"
    if rupees < 20:
        return _ONES[rupees]
    return _TENS[rupees // 10] + (f"-{_ONES[rupees % 10]}" if rupees % 10 else "")


def data(mandate: Mandate) -> dict[str, Any]:
    """What stands on the form. The account number is in full: the bank compares it."""
    account = mandate.bank_account
    return {
        "date": f"{mandate.created_at:%d/%m/%Y}",
        "account_boxes": [[box, box == BOX_OF[BankAccount.Kind(account.kind)]] for box in ACCOUNT_BOXES],
        "number": account.number,
        "bank": account.bank_name,
        "ifsc": account.ifsc,
        "figures": money.rupees(mandate.limit),
        "words": f"Rupees {in_words(int(mandate.limit))} only".capitalize(),
        "frequencies": [[name, name == FREQUENCIES[-1]] for name in FREQUENCIES],
        "debit_types": [["Fixed amount", False], ["Maximum amount", True]],
        "reference": mandate.code,
        "scheme": "Mutual fund investments",
        "phone": mandate.investor.mobile,
        "email": mandate.investor.user.email,
        "valid_from": f"{mandate.valid_from:%d/%m/%Y}",
        "valid_to": f"{mandate.valid_to:%d/%m/%Y}" if mandate.valid_to else "",
        "until_cancelled": mandate.valid_to is None,
        "holder": account.holder_name,
    }


def pdf(mandate: Mandate) -> bytes:
    """The form as a PDF of one A4 page."""
    import typst  # 6 MB, which only a process that makes a paper need hold

    return typst.compile(TEMPLATE, format="pdf", sys_inputs={"data": json.dumps(data(mandate))})
