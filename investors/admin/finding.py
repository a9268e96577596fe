"""How rows are found by the investor they belong to."""

from __future__ import annotations

from django.db.models import QuerySet

from investors.models import BankAccount, ChangeRequest, Consent, Document, Investor, KycRequest, Mandate
from portal.admin.finding import Finder, by_related, codes, people_at

codes.update(
    {
        "INV": Investor,
        "BNK": BankAccount,
        "CNS": Consent,
        "KYC": KycRequest,
        "DOC": Document,
        "MND": Mandate,
        "CHG": ChangeRequest,
    }
)


def by_investor(field: str = "investor") -> Finder:
    """Rows of an investor, by the investor's code or whole email address."""

    def find(term: str) -> QuerySet[Investor]:
        people = people_at(term)
        if people is not None:
            return Investor.objects.filter(user__in=list(people))
        return Investor.objects.filter(code=term.upper())

    return by_related(field, find)
