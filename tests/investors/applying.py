"""What an applicant types, page by page, and a browser that has typed it."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from investors.models import Investor

PAN = "ASHPR3751C"
PERSONAL = {
    "kind": "RESIDENT",
    "name": "Asha Rao",
    "date_of_birth": "17/05/1990",
    "gender": "FEMALE",
    "marital_status": "SINGLE",
    "occupation": "PRIVATE_SECTOR_SERVICE",
    "mobile": "+91 98765 43210",
    "mobile_is_of": "SELF",
    "email_is_of": "SELF",
}
FATCA = {
    "tax_resident_only_in_india": "yes",
    "country_of_birth": "IN",
    "source_of_wealth": "SALARY",
    "gross_annual_income": "12,00,000",
    "is_politically_exposed": "no",
    "is_related_to_politically_exposed": "no",
}
ADDRESS = {
    "line1": "12, Residency Road",
    "line2": "Ashok Nagar",
    "line3": "",
    "pincode": "560025",
    "permanent_is_same": "yes",
}
ADDRESS_ABROAD = {
    "o_line1": "Flat 4, Al Wasl Road",
    "o_city": "Dubai",
    "o_state": "Dubai",
    "o_zipcode": "00000",
    "o_country": "AE",
    "write_to": "INDIA",
}
NOMINEE = {
    "choice": "name",
    "n1_name": "Lata Rao",
    "n1_relationship": "Mother",
    "n1_date_of_birth": "04/03/1962",
    "n1_share": "100",
}
OPT_OUT = {"choice": "opt_out"}
BANK = {
    "ifsc": "hdfc0000001",
    "number": "50100012341121",
    "number_again": "50100012341121",
    "kind": "SAVINGS",
    "holder_name": "Asha Rao",
}
AGREED = {"fatca": "on", "execution": "on", "nomination": "on", "terms": "on"}
TYPED = {
    "pan": {"pan": PAN},
    "personal": PERSONAL,
    "fatca": FATCA,
    "address": ADDRESS,
    "nominees": NOMINEE,
    "bank": BANK,
    "review": AGREED,
}

GUARDIANS_PAN, CHILDS_PAN = "ASHPR3751C", "TRAPR1234C"
CHILD = {
    "name": "Tara Rao",
    "date_of_birth": "04/03/2015",
    "gender": "FEMALE",
    "occupation": "STUDENT",
    "mobile": "98765 43210",
}
GUARDIAN = {"guardian_name": "Asha Rao", "guardian_date_of_birth": "17/05/1990", "guardian_relationship": "Mother"}
CHILDS = {
    "pan": {"pan": CHILDS_PAN, "guardian_pan": GUARDIANS_PAN},
    "guardian": GUARDIAN,
    "personal": CHILD,
    "fatca": FATCA,
    "address": ADDRESS,
    "bank": {**BANK, "number": "50100012349121", "number_again": "50100012349121", "holder_name": "Tara Rao"},
    "review": {"guardian": "on", "fatca": "on", "execution": "on", "terms": "on"},
}


def step_url(slug: str) -> str:
    return reverse("investors:step", args=[slug])


def type_in(client: Client, slug: str, **changes: Any) -> Any:
    """Send one step as typed, with changes. Where it is refused, the page that then shows it."""
    return answered(client, client.post(step_url(slug), {**TYPED[slug], **changes}))


def answered(client: Client, answer: Any) -> Any:
    """What a browser shows: a refused form comes back by a redirect (303)."""
    return client.get(answer["Location"]) if answer.status_code == 303 else answer


def type_everything(client: Client, *, upto: str = "", **changes: dict[str, Any]) -> None:
    """Every step before `upto` is filled in, as a person would; each must bring the next."""
    for slug in TYPED:
        if slug == upto:
            return
        answer = type_in(client, slug, **changes.get(slug, {}))
        assert answer.status_code == 302, (slug, answer.context["form"].errors)


def fresh(investor: Investor) -> Investor:
    return Investor.objects.get(pk=investor.pk)
