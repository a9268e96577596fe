"""What FP tells by account only is compared by turns: some accounts a run, those compared longest ago first.

`AT_ONCE` bounds a run, and the report says how many accounts wait for another. Runs between two whole ones pass over
who was compared within a day. An account about which FP gives no usable answer is a difference of its own, and holds
nobody up: from then on its turn comes after the others'. While FP cannot be reached at all, the rest waits. After a
restore it is the turn of those for which the gate waits (`restored.py`), and of nobody else: in order of need, and
several side by side, because people wait for it. How fast FP is asked stays the pace of all calls to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import connections
from django.db.models import F, Q, QuerySet

from investors.models import InvestmentAccount
from portal import cases, gates
from portal.gateway import errors
from portal.management import restored
from portal.management.reconciliation import CASE, ONCE_IN, Difference, Report

log = structlog.get_logger(__name__)

# Three calls each (two for SIPs, one for holdings), within the time that a task has (`CELERY_TASK_TIME_LIMIT`) even
# where each takes half a second.
AT_ONCE = 300
# So many accounts without a usable answer in one run are FP's trouble, and not theirs.
FAILURES = 20
# So many accounts are asked about at the same time after a restore. Whoever else calls FP waits behind so many calls.
SIDE_BY_SIDE = 8
Compare = Callable[[Report, InvestmentAccount], Iterator[Difference]]


@dataclass
class Walk:
    """From account to account. `over` once FP is away, or leaves too many without a usable answer."""

    turn: Turn
    one: Compare
    dry: bool
    accounts: deque[InvestmentAccount]
    found: list[Report] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    over: bool = False

    def go(self) -> None:
        """Compare account after account until none is left. Several may walk at once: each account is for one."""
        while not self.over:
            try:
                account = self.accounts.popleft()
            except IndexError:
                return
            self._visit(account)

    def go_apart(self) -> None:
        """The same in a thread of its own, whose connection ends with it."""
        try:
            self.go()
        finally:
            connections.close_all()

    def _visit(self, account: InvestmentAccount) -> None:
        report = Report(dry=self.dry, is_whole=False)
        try:
            report.differences += self.one(report, account)
        except errors.NOT_TAKEN as error:
            log.warning("turn_ended", of=self.turn.family, error=str(error), done=len(self.done))
            self.over = True
            return
        except errors.GatewayError as error:
            log.warning("account_not_compared", of=self.turn.family, account=account.pk, error=str(error))
            words = f"FP does not say {self.turn.words}: {error}"
            report = Report(differences=[Difference(self.turn.unread, account, words)])
            self.unread.append(account.pk)
            self.over = self.over or len(self.unread) >= FAILURES
        else:
            report.looked_at.add((self.turn.family, account._meta.label_lower, str(account.pk)))
            self.done.append(account.pk)
        self.found.append(report)


@dataclass(frozen=True)
class Turn:
    """One thing that is compared by turns. `column` of the account says when that was last done.

    `family` begins the kinds of its differences, and `words` say what FP does not tell about an account.
    """

    family: str
    column: str
    words: str

    @property
    def unread(self) -> str:
        """The kind of difference of an account about which FP gives no usable answer."""
        return f"{self.family}_list_unread"

    def compare(
        self, report: Report, accounts: QuerySet[InvestmentAccount], one: Compare, at: datetime
    ) -> list[Difference]:
        """The differences of the accounts whose turn it is, by `one` of them after the other."""
        found_at = gates.found_at()
        if found_at:
            accounts = restored.left(self.family, found_at)
        elif not report.is_whole:
            accounts = accounts.filter(Q(**{self.column: None}) | Q(**{f"{self.column}__lte": at - ONCE_IN}))
        waiting = accounts.count()
        walk = Walk(self, one, report.dry, deque(self._whose(accounts, in_need=found_at is not None)))
        _side_by_side(walk) if found_at else walk.go()
        for each in walk.found:
            report.take_in(each)
        report.turns.setdefault(self.family, []).extend(walk.done)
        report.compared[f"accounts compared: {self.family}s"] += len(walk.done)
        report.compared[f"accounts that wait for another run: {self.family}s"] += max(waiting - len(walk.done), 0)
        return [difference for each in walk.found for difference in each.differences]

    def keep(self, report: Report, at: datetime) -> None:
        """Whose turn has passed. After the cases only: a turn that is kept earlier would lose its differences."""
        InvestmentAccount.objects.filter(pk__in=report.turns.get(self.family, ())).update(**{self.column: at})

    def _whose(self, accounts: QuerySet[InvestmentAccount], *, in_need: bool) -> list[InvestmentAccount]:
        """Whom FP did not answer about lately stands in nobody's way: after the others, and some only."""
        silent = cases.subjects_of(f"{CASE}_{self.unread}")
        longest_ago = accounts.select_related("investor").order_by(F(self.column).asc(nulls_first=True), "pk")
        heard = longest_ago.exclude(pk__in=silent)
        first = restored.in_order_of_need(heard, AT_ONCE) if in_need else heard[:AT_ONCE]
        return [*first, *longest_ago.filter(pk__in=silent)[:FAILURES]]


def _side_by_side(walk: Walk) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        for walked in [threads.submit(walk.go_apart) for _ in range(SIDE_BY_SIDE)]:
            walked.result()


SIPS = Turn("sip", "sips_compared_at", "which SIPs and switches it has")
HOLDINGS = Turn("holding", "holdings_compared_at", "which units it holds")
ALL = (SIPS, HOLDINGS)
