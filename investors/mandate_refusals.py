"""Which field of our form FP means when it refuses a mandate, field by field.

`Mandate.refusal` keeps FP's complaints as they came. One about what nobody types here is for ops.
"""

from __future__ import annotations

from investors import refusals
from investors.models import Mandate
from investors.refusals import Complaint

# FP's name (given document, "Create a mandate") -> the field of our form.
PLACES = {"mandate_limit": "limit", "bank_account_id": "bank_account", "mandate_type": "kind"}
LABELS = {"limit": "Most per debit", "bank_account": "The account", "kind": "How it is given"}
# What FP's request has and our form does not ask for, with the reason.
NOT_ASKED = {
    "valid_from": "the day on which the investor confirms",
    "valid_to": "never: a mandate holds until it is cancelled",
    "provider_name": "follows from the order gateway",
    "provider_id": "FP's own choice of who carries a paper mandate",
}
WHEN = "when we set up the mandate"


def place_of(field: str) -> str:
    """The field of our form; empty where no form of ours has it."""
    return PLACES.get(refusals.snake(field.split(".")[-1]), "")


def by_field(mandate: Mandate) -> dict[str, list[str]]:
    """Field of our form -> what is shown at it."""
    shown: dict[str, list[str]] = {}
    for each in mandate.refusal:
        if name := place_of(each["field"]):
            shown.setdefault(name, []).append(refusals.words(each, when=WHEN))
    return shown


def nowhere(complaints: list[Complaint]) -> list[Complaint]:
    """The complaints that the investor cannot answer."""
    return [each for each in complaints if not place_of(each["field"])]
