"""How acts on many rows are taken back: who held something before holds it again, what was set aside is on the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from portal import cases
from portal.admin.acts import By, Undo
from portal.desk import worklist
from portal.models import User

Back = Callable[[Any, User | None, By], None]
ASKED_ONLY = "It only asked the provider. What the provider said stands, whoever asked."
DECIDED = "A decision stands and is on record. Propose the opposite: a second person decides that too."


def _owner(row: Any) -> dict[str, Any]:
    return {"owner": row.owner_id}


def _is_no_longer_theirs(row: Any, _: Mapping[str, Any], who: User) -> str:
    return "" if row.owner_id == who.pk else "somebody else holds it now, or nobody"


def _is_no_longer_theirs_or_closed(case: Any, kept: Mapping[str, Any], who: User) -> str:
    return _is_no_longer_theirs(case, kept, who) if case.state == case.State.OPEN else "it is closed"


def _is_held(row: Any, _: Mapping[str, Any], __: User) -> str:
    return "somebody holds it by now" if row.owner_id is not None else ""


def _to_the_one_before(give: Back) -> Callable[[Any, Mapping[str, Any], By], str]:
    """Whoever held it holds it again; nobody, where they may no longer sign in."""

    def back(row: Any, kept: Mapping[str, Any], by: By) -> str:
        before = User.objects.filter(pk=kept["owner"], is_active=True).first() if kept.get("owner") else None
        give(row, before, by)
        return f"{before} holds it again." if before else "It is nobody's again."

    return back


def _case(case: Any, to: User | None, by: By) -> None:
    cases.hand_back(case=case, actor=by.actor, reason=by.reason, at=by.at, to=to)


def _item(item: Any, to: User | None, by: By) -> None:
    worklist.hand_back(item=item, actor=by.actor, reason=by.reason, at=by.at, to=to)


def _listed(item: Any, _: Mapping[str, Any], by: By) -> str:
    worklist.bring_back(item=item, actor=by.actor, reason=by.reason, at=by.at)
    return "It is on the list again."


_BEFORE = "goes back to whoever held it before, or to nobody"
CLAIMED_CASE = Undo(_BEFORE, _owner, _is_no_longer_theirs_or_closed, _to_the_one_before(_case))
CLAIMED = Undo(_BEFORE, _owner, _is_no_longer_theirs, _to_the_one_before(_item))
HANDED_BACK = Undo("goes back to whoever held it before", _owner, _is_held, _to_the_one_before(_item))
SET_ASIDE = Undo(
    "is on the list again",
    lambda item: {"set_aside": True},
    lambda item, kept, who: "" if item.set_aside_at else "it is on the list already",
    _listed,
)
