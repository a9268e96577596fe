"""Who is perhaps one person with two logins, and who only looks like it.

    candidates   who has a PAN, a mobile number or a bank account of this investor
    report       the same when an application is confirmed: a case
    tell_apart   somebody has looked: they are two persons
    look_again   that was wrong: they are back in the queue
    settle       what two have in common now, each time all are searched

The queue of pairs is filled by `double_search.py`, which also finds nearly the same email address, and one birthday
with a similar name. Two PANs that the registries were asked about are two persons, so one of a pair has none. No sign
of one person is a mobile number or an address that either calls somebody else's, and what a minor has of a guardian:
both of these, and the bank account. Who was told apart comes back once they have something new in common.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from investors.models import PAN_INDEX, BankAccount, DoubleAnswer, Investor, Merge, PossibleDouble
from portal import audit, cases
from portal.encryption import blind_indexes
from portal.errors import Failure
from portal.models import User
from portal.scope import ALL, scope

CASE = "perhaps_the_same_person"
MOST_CANDIDATES = 10
Pair = tuple[int, int]
Sign = PossibleDouble.Sign
State = PossibleDouble.State


class AlreadyAnswered(Failure):
    """Somebody was faster."""

    code = "already_answered"
    message = "This was answered already, or the two have nothing in common any more. Nothing was changed now."


class AboutOneself(Failure):
    """Nobody says of themselves that they are two."""

    code = "about_oneself"
    message = "This is about you: somebody else has to look at it."


# --- one investor -----------------------------------------------------------------------------------------------


def candidates(investor: Investor) -> list[tuple[Investor, str]]:
    """Others with the same PAN, mobile number or bank account, and which of them it is. Each asks an index.

    Not those who were told apart from this one when they had as much in common.
    """
    found: dict[int, list[str]] = {}
    for sign, keys in _alike(investor).items():
        for key in keys:
            found.setdefault(key, []).append(sign)
    told = _told_apart_from(investor) if found else {}
    left = {key: signs for key, signs in found.items() if not told.get(key, set()).issuperset(signs)}
    gone = Merge.objects.filter(gone__in=list(left), state=Merge.State.APPLIED).values_list("gone_id", flat=True)
    others = Investor.objects.filter(pk__in=left.keys() - set(gone)).defer("pan", "guardian_pan").order_by("pk")
    return [(other, ", ".join(Sign(each).label for each in left[other.pk])) for other in others[:MOST_CANDIDATES]]


def report(investor: Investor, at: datetime) -> None:
    """An investor who is perhaps another one already becomes a case. The investor hears nothing of it."""
    with scope(ALL):
        found = candidates(investor)
    if found:
        detail = "; ".join(f"{other.code}: {why}" for other, why in found)
        title = f"{investor.code} is perhaps somebody whom we know"
        cases.open_case(kind=CASE, subject=investor, title=title, detail=detail, at=at)


def of_investor(investor: Investor) -> QuerySet[PossibleDouble]:
    """The pairs of which this investor is one."""
    return PossibleDouble.objects.filter(Q(one=investor) | Q(other=investor))


def waiting(investor: Investor) -> QuerySet[PossibleDouble]:
    """Pairs to be looked at, of which this investor is one."""
    return of_investor(investor).filter(state=State.OPEN).select_related("one", "other").order_by("-id")


def forget(investor: Investor) -> None:
    """Who was merged away waits in no queue. Once that is undone, they are found again."""
    of_investor(investor).filter(state=State.OPEN).update(state=State.GONE)


def _alike(investor: Investor) -> dict[str, list[int]]:
    others = Investor.objects.exclude(pk=investor.pk).order_by().values_list("pk", flat=True)
    numbers = BankAccount.objects.filter(investor=investor, closed_at=None).values("number_index")
    same = BankAccount.objects.filter(number_index__in=numbers).exclude(investor=investor).order_by()
    by_pan = others.filter(pan_index__in=blind_indexes(investor.pan, PAN_INDEX)) if investor.pan else others.none()
    # A number that either of the two calls somebody else's is shared in a family: no sign of one person.
    own = ("", Investor.Whose.SELF)
    is_own = bool(investor.mobile) and investor.mobile_is_of in own
    by_mobile = others.filter(mobile=investor.mobile, mobile_is_of__in=own) if is_own else others.none()
    return {
        Sign.PAN: list(by_pan[:MOST_CANDIDATES]),
        Sign.MOBILE: list(by_mobile[:MOST_CANDIDATES]),
        Sign.ACCOUNT: list(same.values_list("investor_id", flat=True).distinct()[:MOST_CANDIDATES]),
    }


def _told_apart_from(investor: Investor) -> dict[int, set[str]]:
    """From whom this investor was told apart, and what they had in common then."""
    newest = DoubleAnswer.objects.filter(double=OuterRef("pk")).order_by("-id")
    apart = of_investor(investor).filter(state=State.APART).annotate(told=Subquery(newest.values("signs")[:1]))
    return {row.other_id if row.one_id == investor.pk else row.one_id: set(row.told) for row in apart}


# --- what is found ----------------------------------------------------------------------------------------------


def settle(pair: Pair, signs: list[str], *, at: datetime) -> None:
    """This is what two have in common now: they wait in the queue, or have left it.

    Who was told apart is looked at again once they have something in common of which nobody knew then.
    """
    with transaction.atomic():
        one, other = _kept_as_they_are(pair)
        known = PossibleDouble.objects.select_for_update().filter(one=one, other=other).first()
        row = known or PossibleDouble(one=one, other=other, found_at=at, state=State.GONE)
        row.signs = [] if _is_merged_away(pair) else signs
        if row.state != State.APART:
            row.found_at = at if row.state == State.GONE else row.found_at
            row.state = State.OPEN if row.signs else State.GONE
        row.save()
        if new := _not_told(row):
            _answer(row, is_apart=False, actor=None, reason=f"New in common: {', '.join(new)}.", at=at)


def _kept_as_they_are(pair: Pair) -> tuple[Investor, Investor]:
    """The two, locked before their pair is: a merge locks them in this order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM investors_investor WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [list(pair)])
    found = Investor.objects.in_bulk(pair)
    return found[pair[0]], found[pair[1]]


def _is_merged_away(pair: Pair) -> bool:
    return Merge.objects.filter(gone__in=pair, state=Merge.State.APPLIED).exists()


def _not_told(row: PossibleDouble) -> list[str]:
    if row.state != State.APART:
        return []
    told = row.answers.order_by("-id").values_list("signs", flat=True)[0]
    return [str(Sign(sign).label) for sign in row.signs if sign not in told]


# --- answers ----------------------------------------------------------------------------------------------------


def tell_apart(*, double_id: int, actor: User, reason: str, at: datetime) -> PossibleDouble:
    """They are two persons, and wait for nobody any more. Raises AboutOneself, AlreadyAnswered."""
    with transaction.atomic():
        row = _to_answer(double_id, actor, State.OPEN)
        _answer(row, is_apart=True, actor=actor, reason=reason, at=at)
        for each in (row.one, row.other):
            if not candidates(each):
                cases.close_cases(subject=each, kinds=(CASE,), resolution=f"Two persons: {reason}"[:300], at=at)
    return row


def look_again(*, double_id: int, actor: User, reason: str, at: datetime) -> PossibleDouble:
    """That they are two persons is no longer said. Raises AboutOneself, AlreadyAnswered."""
    with transaction.atomic():
        row = _to_answer(double_id, actor, State.APART)
        _answer(row, is_apart=False, actor=actor, reason=reason, at=at)
    return row


def who_they_are(row: PossibleDouble) -> tuple[int, int]:
    """The logins of the two, who do not answer about themselves."""
    return row.one.user_id, row.other.user_id


def _to_answer(double_id: int, actor: User, state: str) -> PossibleDouble:
    row = locked(double_id)
    if actor.pk in who_they_are(row):
        raise AboutOneself
    if row.state != state:
        raise AlreadyAnswered
    return row


def locked(double_id: int) -> PossibleDouble:
    """The pair, for whoever changes it."""
    rows = PossibleDouble.objects.select_for_update(of=("self",)).select_related("one", "other")
    return rows.get(pk=double_id)


def _answer(row: PossibleDouble, *, is_apart: bool, actor: User | None, reason: str, at: datetime) -> None:
    """The pair's state follows the answer, in the database."""
    DoubleAnswer.objects.create(double=row, is_apart=is_apart, signs=row.signs, by=actor, at=at, reason=reason[:300])
    row.refresh_from_db(fields=["state"])
    words = "told_apart" if is_apart else "looked_at_again"
    audit.record(row, f"double.{words}", actor=actor, at=at, reason=reason, signs=row.signs)
    for each, other in ((row.one, row.other), (row.other, row.one)):
        audit.record(each, f"investor.{words}", actor=actor, at=at, reason=reason, other=other.code)
