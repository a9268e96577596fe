"""What FP tells by account only is compared by turns: some accounts a run, those compared longest ago first.

`AT_ONCE` bounds a run, and the report says how many accounts wait for another. Runs between two whole ones pass over
who was compared within a day. An account about which FP gives no usable answer is a difference of its own, and holds
nobody up: from then on its turn comes after the others'. While FP cannot be reached at all, the rest waits. After a
restore it is the turn of those that keep the gate closed (`restored.py`), and of nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db.models import F, Q, QuerySet

from investors.models import InvestmentAccount
from portal import cases
from portal.gateway import errors
from portal.management import restored
from portal.management.reconciliation import CASE, ONCE_IN, Difference, Report

log = structlog.get_logger(__name__)

# Three calls each (two for SIPs, one for holdings), within the time that a task has (`CELERY_TASK_TIME_LIMIT`) even
# where each takes half a second.
AT_ONCE = 300
# So many accounts without a usable answer in one run are FP's trouble, and not theirs.
FAILURES = 20
Compare = Callable[[InvestmentAccount], Iterator[Difference]]


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
    ) -> Iterator[Difference]:
        """The differences of the accounts whose turn it is, by `one` of them after the other."""
        if found := restored.found_at():
            accounts = restored.left(self.family, found)
        elif not report.is_whole:
            accounts = accounts.filter(Q(**{self.column: None}) | Q(**{f"{self.column}__lte": at - ONCE_IN}))
        waiting = accounts.count()
        done, unread = report.turns.setdefault(self.family, []), 0
        for account in self._whose(accounts):
            try:
                yield from one(account)
            except errors.NOT_TAKEN as error:
                log.warning("turn_ended", of=self.family, error=str(error), done=len(done))
                break
            except errors.GatewayError as error:
                log.warning("account_not_compared", of=self.family, account=account.pk, error=str(error))
                yield Difference(self.unread, account, f"FP does not say {self.words}: {error}")
                unread += 1
                if unread == FAILURES:
                    break
            else:
                report.looked_at.add((self.family, account._meta.label_lower, str(account.pk)))
                done.append(account.pk)
        report.compared[f"accounts compared: {self.family}s"] += len(done)
        report.compared[f"accounts that wait for another run: {self.family}s"] += max(waiting - len(done), 0)

    def keep(self, report: Report, at: datetime) -> None:
        """Whose turn has passed. After the cases only: a turn that is kept earlier would lose its differences."""
        InvestmentAccount.objects.filter(pk__in=report.turns.get(self.family, ())).update(**{self.column: at})

    def _whose(self, accounts: QuerySet[InvestmentAccount]) -> list[InvestmentAccount]:
        """Whom FP did not answer about lately stands in nobody's way: after the others, and some only."""
        silent = cases.subjects_of(f"{CASE}_{self.unread}")
        longest_ago = accounts.select_related("investor").order_by(F(self.column).asc(nulls_first=True), "pk")
        return [*longest_ago.exclude(pk__in=silent)[:AT_ONCE], *longest_ago.filter(pk__in=silent)[:FAILURES]]


SIPS = Turn("sip", "sips_compared_at", "which SIPs and switches it has")
HOLDINGS = Turn("holding", "holdings_compared_at", "which units it holds")
ALL = (SIPS, HOLDINGS)
