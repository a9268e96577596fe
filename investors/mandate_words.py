"""What investors read about a mandate: where it stands, what it can do, what happened, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from investors import lifecycle, mandate_refusals, merged_banks
from investors.models import Mandate
from portal import audit
from portal.models import AuditEntry
from portal.templatetags.portal_tags import moment


class Words(NamedTuple):
    """A badge (`kind`, `badge`) and the sentence under it."""

    kind: str
    badge: str
    title: str
    text: str


CHECKING = Words(
    "checking",
    "We are checking",
    "We are checking, do not give it again",
    "It was sent, but the answer did not reach us. We ask until we know. Nothing can be debited under it yet.",
)
CANCELLING = Words(
    "checking",
    "Being cancelled",
    "Your bank is told to cancel",
    "We show it as cancelled once that is confirmed. A debit that the bank has begun already may still happen.",
)
STATES: dict[str, Words] = {
    lifecycle.CREATED: Words(
        "waiting", "Being set up", "The mandate is being set up", "This takes a few seconds. Nothing can be debited."
    ),
    lifecycle.AWAITING_INVESTOR: Words(
        "needs",
        "Authorise it",
        "Your bank waits for your yes",
        "You authorise it at your bank, not with us. Until then nothing can be debited.",
    ),
    lifecycle.SUBMITTED: Words(
        "waiting",
        "With the bank",
        "The bank is looking at it",
        "You have done your part. Nothing can be debited before the bank approves.",
    ),
    lifecycle.APPROVED: Words(
        "done", "Approved", "The bank has approved it", "Debits up to the limit are possible for what you invest here."
    ),
    lifecycle.REJECTED: Words(
        "failed", "Rejected", "The mandate was not accepted", "Nothing can be debited under it. You can try again."
    ),
    lifecycle.CANCELLED: Words("neutral", "Cancelled", "The mandate is cancelled", "Nothing can be debited under it."),
}
CORRECT_IT = Words(
    "needs",
    "Correct it",
    "Something in the mandate was not accepted",
    "It did not reach your bank, and nothing can be debited under it. Correct what is named here, and try again.",
)
REFUSED = Words(
    "failed",
    "Not accepted",
    "The mandate was not accepted",
    "It did not reach your bank, and nothing can be debited under it.",
)
NO_PAGE = Words(
    "checking",
    "We are checking",
    "The bank's page cannot be opened now",
    "Our team has been told, and we try again by ourselves. There is nothing for you to do. Nothing can be debited.",
)
PAPER_WAITS = Words(
    "needs",
    "Sign the form",
    "Print, sign and send us the form",
    "Sign as at your bank, scan it or photograph it, and send it here. Until the bank approves nothing can be debited.",
)
PAPER_SENT = Words(
    "waiting",
    "We have your form",
    "We look at your form and pass it on",
    "You have done your part. If something on it cannot be read, we tell you here.",
)


def of(mandate: Mandate) -> Words:
    """The words for a mandate as it stands."""
    if mandate.is_unknown:
        return CHECKING
    if mandate.cancel_asked_at and mandate.state not in lifecycle.MANDATE.final:
        return CANCELLING
    if mandate.was_refused:
        tried_again = getattr(mandate, "next", None) is not None
        return CORRECT_IT if mandate_refusals.by_field(mandate) and not tried_again else REFUSED
    if mandate.state == lifecycle.AWAITING_INVESTOR and mandate.refusal:
        return NO_PAGE
    if mandate.state == lifecycle.AWAITING_INVESTOR and mandate.kind == Mandate.Kind.NACH:
        return PAPER_SENT if mandate.signed_form_id else PAPER_WAITS
    if mandate.state == lifecycle.APPROVED and (merged := merged_banks.of(mandate.bank_account.ifsc)):
        return Words("needs", "At risk", "The bank has approved it, and debits may be refused", merged.debits)
    return STATES[mandate.state]


# What the bank's usual reasons mean for the investor; the words after the first fitting one are shown, with the bank's
# own. The first column is looked for in the bank's text, in lower case (NPCI reason texts, providers.md 3.9).
REASONS: tuple[tuple[str, str], ...] = (
    ("insufficient", "The bank checked the balance and found too little. Try again when there is more."),
    ("signature", "The signature was not the one that the bank knows. Sign as on your cheques."),
    ("name", "The bank holds the account under another name. Check the holder's name with the bank."),
    ("frozen", "The bank has blocked this account. Ask your branch, or use another account."),
    ("closed", "The bank has closed this account. Use another account."),
    ("not registered", "The bank does not offer this way of authorising for your account. Choose another way."),
    ("limit", "The limit is above what your bank allows. Try again with a smaller one."),
    ("rejected by the bank", "The bank gave no further reason. Try again, or ask your branch."),
)


def reason(mandate: Mandate) -> str:
    """Why it was rejected, in our words, with the bank's own behind them; empty when it was not.

    What FP refused stands field by field in `to_correct`.
    """
    if mandate.was_refused:
        return OURS_TO_MEND if mandate_refusals.nowhere(mandate.refusal) else ""
    if mandate.state != lifecycle.REJECTED:
        return ""
    text = mandate.reason.strip().rstrip(".")
    if not text:
        return "The bank gave no reason. Try again, or ask your branch."
    ours = next((words for part, words in REASONS if part in text.lower()), "Your branch can tell you more about it.")
    return f"{ours} The bank's own words: {text}."


OURS_TO_MEND = (
    "Something that we send with it was not accepted, and it is at no field of yours. Our team has been told; please "
    "wait for them before you try again."
)


class ToCorrect(NamedTuple):
    """One field of the next try: its name in our form, what it is called there, and what was wrong with it."""

    field: str
    label: str
    text: str


def to_correct(mandate: Mandate) -> list[ToCorrect]:
    """What FP did not accept, at the fields where the investor can put it right."""
    if not mandate.was_refused:
        return []
    wrong = mandate_refusals.by_field(mandate)
    return [ToCorrect(name, mandate_refusals.LABELS[name], " ".join(texts)) for name, texts in wrong.items()]


@dataclass(frozen=True)
class Step:
    """One line of the timeline, as `components/_timeline.html` takes it."""

    title: str
    text: str
    at: str
    status: str


# What an entry of the audit log means to the investor; entries that are not listed are for operations only.
HAPPENED: dict[str, tuple[str, str, str]] = {
    "mandate.created": ("You confirmed the mandate", "with a one-time code", "done"),
    "mandate.outcome_unknown": ("The answer was lost", "we began to check whether it arrived", "checking"),
    "mandate.awaiting_investor": ("The mandate is set up", "it waited for your yes", "done"),
    "mandate.handed_over": ("You opened the bank's page", "", "done"),
    "mandate.form_sent": ("You sent us the signed form", "", "done"),
    "mandate.form_refused": ("We could not use the form", "", "failed"),
    "mandate.submitted": ("The bank has it", "", "done"),
    "mandate.approved": ("The bank approved it", "", "done"),
    "mandate.rejected": ("It was not accepted", "", "failed"),
    "mandate.cancel_asked": ("Cancelling was asked for", "", "done"),
    "mandate.cancelled": ("It was cancelled", "", "failed"),
}
TO_COME: dict[str, tuple[str, ...]] = {
    lifecycle.CREATED: ("Set up", "Your yes", "The bank's approval"),
    lifecycle.AWAITING_INVESTOR: ("Your yes", "The bank's approval"),
    lifecycle.SUBMITTED: ("The bank's approval",),
}


def timeline(mandate: Mandate) -> list[Step]:
    """What happened, what is happening now, and what is still to come, in that order."""
    entries = list(audit.entries_of(mandate).only("action", "at", "reason"))
    steps = [_happened(entry) for entry in entries if entry.action in HAPPENED]
    coming = TO_COME.get(mandate.state, ())
    if coming:
        said = of(mandate)
        now = "Passed on to the bank" if said is PAPER_SENT else coming[0]
        steps.append(Step(now, said.title, "", "checking" if said.kind == "checking" else "current"))
        steps += [Step(title, "", "", "todo") for title in coming[1:]]
    return steps


def _happened(entry: AuditEntry) -> Step:
    title, text, status = HAPPENED[entry.action]
    # Reasons of staff are for staff, except why a form could not be used.
    why = entry.reason if entry.action == "mandate.form_refused" else ""
    return Step(title, why or text, moment(entry.at), status)
