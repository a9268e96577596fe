"""What staff may do to an object: a button, a page that asks for the reason, one operation, words about how it went.

An `Act` is data; `OpsAdmin` (base.py) gives it an address, checks the permission, shows the confirmation page on GET
and runs the operation on POST. The same operation runs in the worker; here it gets `actor` and `reason`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django import forms
from django.db import models
from django.http import HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from portal import audit, redaction
from portal.errors import Failure
from portal.gateway import errors
from portal.models import User

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class By:
    """Who acts, why, when, and what else the form asked."""

    actor: User
    reason: str
    at: datetime
    answers: Mapping[str, Any] = field(default_factory=dict)


class ReasonForm(forms.Form):
    """Every act is given a reason, in words that a colleague understands in a year."""

    reason = forms.CharField(
        min_length=5,
        max_length=300,
        label="Reason",
        help_text="Goes into the audit log under your name. No PAN, no account numbers.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
    )


class QuickForm(ReasonForm):
    """For acts that change nothing about a record: a reason may be given."""

    reason = forms.CharField(
        min_length=5,
        max_length=300,
        required=False,
        label="Note (optional)",
        help_text="Goes into the audit log under your name. No PAN, no account numbers.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


def _always(_: Any) -> bool:
    return True


def _no_words(_: Any, by: By) -> str:
    return "Done."


def _nobody(_: Any) -> Collection[int]:
    return ()


def _nothing(_: Any) -> Sequence[object]:
    return ()


@dataclass(frozen=True)
class Undo:
    """How an act that was done to many rows is taken back: what is kept of a row before, and what brings it back.

    `why_not` is asked of each row with what was kept and with who did the act: words where it is no longer as the act
    left it, because what somebody did since is not overwritten.
    """

    would: str
    before: Callable[[Any], dict[str, Any]]
    why_not: Callable[[Any, Mapping[str, Any], User], str]
    back: Callable[[Any, Mapping[str, Any], By], str]


@dataclass(frozen=True)
class Act:
    """One thing that staff may do. `run` calls the operation and returns words for the person who pressed the button.

    `permission` is a permission, or a function of the object that names one. `offered` says whether the act makes
    sense for this object now. `journalled_here` adds the audit entry for operations that do not write their own.
    """

    name: str
    label: str
    permission: str | Callable[[Any], str]
    explain: str
    run: Callable[[Any, By], str] = _no_words
    offered: Callable[[Any], bool] = _always
    form: type[ReasonForm] = ReasonForm
    icon: str = "play_arrow"
    danger: bool = False
    journalled_here: bool = False
    # People who may not do this to this object, whatever their rights: whoever asked cannot approve.
    not_by: Callable[[Any], Collection[int]] = _nobody
    # The only people who may; None: whoever has the right.
    only_by: Callable[[Any], Collection[int]] | None = None
    # Instead of words the answer is a file, made of the object and what is shown with it.
    download: Callable[[Any, Any, By], HttpResponse] | None = None
    # May be done to many rows at once, after a dry run (portal/desk/bulk.py).
    in_bulk: bool = False
    # Of an act on many rows: how it is taken back, or in words why it cannot be.
    undo: Undo | None = None
    no_undo: str = ""
    # What a decision rests on and somebody else may exchange meanwhile, such as papers: no names, only what tells one
    # from another. An act is refused where it is no longer what the page had shown.
    rests_on: Callable[[Any], Sequence[object]] = _nothing

    def seen(self, obj: Any) -> str:
        """A mark of what the decision rests on, for the address of the page and its form; empty where on nothing."""
        facts = [str(fact) for fact in self.rests_on(obj)]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16] if facts else ""

    def permission_for(self, obj: Any) -> str:
        """The permission that this act needs on this object."""
        return self.permission if isinstance(self.permission, str) else self.permission(obj)

    def allowed(self, user: Any, obj: Any) -> bool:
        """May this person do this to this object?"""
        if self.only_by is not None and user.pk not in self.only_by(obj):
            return False
        return user.pk not in self.not_by(obj) and user.has_perm(self.permission_for(obj))


# Provider trouble in words for operations: what happened, and what is safe.
TROUBLE: dict[type[errors.GatewayError], str] = {
    errors.Unreachable: "The provider could not be reached. Nothing was sent; try again in a minute.",
    errors.Throttled: "The provider asked us to slow down. Nothing was sent; try again in a minute.",
    errors.OutcomeUnknown: "The provider gave no usable answer. Background work keeps looking; send nothing by hand.",
    errors.NotAuthorised: "The provider does not accept our credentials. Check them before trying again.",
    errors.Refused: "The provider said no.",
    errors.Garbled: "The provider's answer could not be read. It is kept in the conversation below.",
}


def perform(act: Act, obj: models.Model, by: By) -> tuple[bool, str]:
    """Run an act. Returns (whether it went through, words); foreseen trouble becomes words, never a broken page."""
    if act.journalled_here:
        audit.record(obj, f"ops.{act.name}", actor=by.actor, at=by.at, reason=by.reason)
    return _tried(act, obj, lambda: act.run(obj, by))


def take_back(act: Act, obj: models.Model, kept: Mapping[str, Any], by: By) -> tuple[bool, str]:
    """Undo an act that can be undone. Returns what `perform` does."""
    undo = act.undo
    return _tried(act, obj, lambda: undo.back(obj, kept, by)) if undo else (False, act.no_undo)


def _tried(act: Act, obj: models.Model, run: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, run()
    except Failure as failure:
        return False, failure.message
    except errors.GatewayError as trouble:
        log.warning("act_met_provider_trouble", act=act.name, subject=str(obj.pk), error=str(trouble))
        return False, _words_of(trouble)


def _words_of(trouble: errors.GatewayError) -> str:
    """What happened and what is safe; a refusal with the provider's own words, which are for operations."""
    words = TROUBLE.get(type(trouble), "The provider could not help.")
    if isinstance(trouble, errors.Refused) and trouble.said:
        return f"{words.rstrip('.')}: {redaction.text(trouble.said)[:200]}"
    return words


class ChoiceWidget(UnfoldAdminSelectWidget):
    """A select in the look of the admin, for acts that ask one thing more than the reason."""
