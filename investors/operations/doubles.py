"""Who is perhaps somebody whom we know already under another login."""

from __future__ import annotations

from datetime import datetime

from investors.models import PAN_INDEX, BankAccount, Investor, Merge
from portal import cases
from portal.encryption import blind_indexes
from portal.scope import ALL, scope

CASE = "perhaps_the_same_person"
MOST_CANDIDATES = 10


def candidates(investor: Investor) -> list[tuple[Investor, str]]:
    """Others with the same PAN, mobile number or bank account, and which of them it is. Each asks an index."""
    found: dict[int, list[str]] = {}
    for why, keys in _alike(investor).items():
        for key in keys:
            found.setdefault(key, []).append(why)
    gone = Merge.objects.filter(gone__in=list(found), state=Merge.State.APPLIED).values_list("gone_id", flat=True)
    others = Investor.objects.filter(pk__in=found.keys() - set(gone)).defer("pan", "guardian_pan").order_by("pk")
    return [(other, ", ".join(found[other.pk])) for other in others[:MOST_CANDIDATES]]


def _alike(investor: Investor) -> dict[str, list[int]]:
    others = Investor.objects.exclude(pk=investor.pk).order_by().values_list("pk", flat=True)
    numbers = BankAccount.objects.filter(investor=investor, closed_at=None).values_list("number_index", flat=True)
    same = BankAccount.objects.filter(number_index__in=list(numbers)).exclude(investor=investor).order_by()
    by_pan = others.filter(pan_index__in=blind_indexes(investor.pan, PAN_INDEX)) if investor.pan else others.none()
    # A number that either of the two calls somebody else's is shared in a family: no sign of one person.
    own = ("", Investor.Whose.SELF)
    is_own = bool(investor.mobile) and investor.mobile_is_of in own
    by_mobile = others.filter(mobile=investor.mobile, mobile_is_of__in=own) if is_own else others.none()
    return {
        "the same PAN": list(by_pan[:MOST_CANDIDATES]),
        "the same mobile number": list(by_mobile[:MOST_CANDIDATES]),
        "the same bank account": list(same.values_list("investor_id", flat=True).distinct()[:MOST_CANDIDATES]),
    }


def report(investor: Investor, at: datetime) -> None:
    """An investor who is perhaps another one already becomes a case. The investor hears nothing of it."""
    with scope(ALL):
        found = candidates(investor)
    if found:
        detail = "; ".join(f"{other.code}: {why}" for other, why in found)
        title = f"{investor.code} is perhaps somebody whom we know"
        cases.open_case(kind=CASE, subject=investor, title=title, detail=detail, at=at)
