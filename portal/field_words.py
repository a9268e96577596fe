"""How fields are called where their model gives no words of its own: `provider_ref` -> provider's number.

A model's own `verbose_name` always wins. Names that Django makes from the Python name read like the Python name; here
they get the words of the desk, which stand in exports too, and NAV, PAN, SIP, ISIN, UTR, IFSC and their like their
capitals. Migrations do not see this: they keep what the model wrote.
"""

from __future__ import annotations

import re

from django.apps import apps
from django.db import models
from django.utils.text import capfirst

# Field name -> words, whatever the model.
WORDS = {
    "provider_ref": "provider's number",
    "client_ref": "our reference",
    "our_ref": "our reference",
    "attempt_no": "attempt",
    "is_close_ended": "close-ended",
    "lock_in_years": "lock-in, years",
    "switch_in_allowed": "switch-in allowed",
    "given_ip": "IP address of the yes",
    "ip": "IP address",
    "user_agent": "browser",
    "from_name": "from",
    "to_name": "to",
    "newest_on": "newest NAV date",
    "nav_on": "NAV date",
    "predicted_nav_on": "predicted NAV date",
    "previous_nav_on": "NAV date before",
    "on": "date",
    "total_run_count": "times run",
    "task": "task",
    "id": "number",
}
CAPITALS = re.compile(
    r"\b(amc|amfi|arn|bse|euin|fatca|fp|hsn|ifsc|ip|isin|kra|kyc|micr|nach|nav|nse|odin|otp|pan|rta|sip|stp|swp|tds|ucc|umrn|"
    r"upi|utr)(s?)\b"
)


def words_of(name: str) -> str:
    """A field's Python name in words: `is_active` -> active, `sip_allowed` -> SIP allowed."""
    plain = name.removeprefix("is_").removesuffix("_at").replace("_", " ")
    plain = WORDS.get(name) or re.sub(r" ref$", " reference", plain)
    return CAPITALS.sub(lambda found: found[1].upper() + found[2], plain)


def name_fields() -> None:
    """Every field that Django had to name gets its words, and all begin with a capital, as the columns of ours do."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.Field):
                words = words_of(field.name) if _was_named_by_machine(field) else str(field.verbose_name)
                field.verbose_name = capfirst(words)


def _was_named_by_machine(field: models.Field) -> bool:
    given = str(field.verbose_name)
    return given.lower() == field.name.replace("_", " ") or field.name in ("total_run_count", "task")
