"""Lifecycles as data, and the two questions that are asked of them.

*Commands* are ours: `allows(state, to)` is true only for a step that is listed.
*News* is the provider's: it may arrive late, twice, or with steps missing, so `judge(state, news)` answers by
reachability in the same table:

    REPEAT    same state; nothing to move, but compare quantities and amounts
    APPLY     ahead of us, perhaps past steps we never heard of: do the duties of the skipped steps too
    STALE     already overtaken by what we know
    CONFLICT  both cannot be true: open a case for a person, never overwrite

Tables have no loops, so "later" has one meaning. A second try is a new row or a new attempt on the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Verdict(StrEnum):
    """What a piece of news means for a row in a given state."""

    REPEAT = "REPEAT"
    APPLY = "APPLY"
    STALE = "STALE"
    CONFLICT = "CONFLICT"


class Lifecycle:
    """A table `state -> states it may step to`. Raises ValueError when the table loops or names an unknown state."""

    def __init__(self, steps: Mapping[str, tuple[str, ...]]) -> None:
        unknown = {to for targets in steps.values() for to in targets} - set(steps)
        if unknown:
            raise ValueError(f"no row for {sorted(unknown)}")
        self.steps = dict(steps)
        self.states = tuple(steps)
        self._reach = {state: self._reachable(state) for state in steps}
        loops = [state for state in steps if state in self._reach[state]]
        if loops:
            raise ValueError(f"a lifecycle must not loop: {loops}")

    def _reachable(self, start: str) -> frozenset[str]:
        seen: set[str] = set()
        frontier = list(self.steps[start])
        while frontier:
            state = frontier.pop()
            if state not in seen:
                seen.add(state)
                frontier.extend(self.steps[state])
        return frozenset(seen)

    @property
    def final(self) -> frozenset[str]:
        """States that nothing leaves."""
        return frozenset(state for state, targets in self.steps.items() if not targets)

    def allows(self, state: str, to: str) -> bool:
        """May a command of ours take this one step?"""
        return to in self.steps[state]

    def judge(self, state: str, news: str) -> Verdict:
        """What news from a provider means for a row in `state`."""
        if state == news:
            return Verdict.REPEAT
        if news in self._reach[state]:
            return Verdict.APPLY
        if state in self._reach[news]:
            return Verdict.STALE
        return Verdict.CONFLICT

    def path(self, state: str, to: str) -> tuple[str, ...]:
        """The shortest listed way from `state` to `to`, without `state` itself; empty when there is none."""
        ways: list[tuple[str, ...]] = [(state,)]
        while ways:
            way = ways.pop(0)
            if way[-1] == to:
                return way[1:]
            ways.extend((*way, step) for step in self.steps[way[-1]])
        return ()
