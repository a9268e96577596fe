"""Partner endpoints about people: investors and invitations, KYC, bank accounts, mandates, papers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from investors import applications, kyc_reasons, mandate_words
from investors.models import BankAccount, Document, Investor, Invite, KycCheck, KycRequest, Mandate
from investors.operations import invites
from portal import redaction
from portal.api import catalogue
from portal.api.bodies import Body, TextField
from portal.api.door import Call
from portal.api.endpoints import get, post
from portal.api.shapes import Expand, Filter, Row, Shape, col, made

INVITE_STATES = ("OPEN", "ACCEPTED", "WITHDRAWN", "EXPIRED")
OWNER = Filter("investor__code", "Only of this investor.")


def _mine(model: Any, call: Call) -> QuerySet[Any]:
    """The owner filter of this file: rows of investors whom the partner brought."""
    found: QuerySet[Any] = model.objects.filter(investor__partner=call.partner)
    return found


# --- investors ----------------------------------------------------------------------------------------------------

INVESTOR = Shape(
    "Investor",
    "Somebody whom you brought. PAN and mobile are masked; nobody gets them in full through the API.",
    {
        "id": col("id", "code", "Opaque id.", example="INV-7K3F9QW2M4TX"),
        "name": col("text", "name", "As on the PAN card; empty until it is known.", example="Asha Rao"),
        "kind": col("text", "kind", "Who invests.", choices=Investor.Kind.values),
        "state": col("text", "state", "How far the registration is.", choices=Investor.State.values),
        "pan": made("text", "Masked.", ["pan"], lambda row: redaction.mask_pan(row["pan"]) if row["pan"] else None,
                    null=True, example="ASXXXXXX1C"),
        "mobile": made("text", "Masked.", ["mobile"],
                       lambda row: redaction.mask(row["mobile"]) if row["mobile"] else None, null=True,
                       example="XXXXXX3210"),
        "created_at": col("moment", "created_at", "When the application was begun."),
        "state_since": col("moment", "state_since", "Since when it stands there."),
    },
)  # fmt: skip
APPLICATION = Shape(
    "Application",
    "Where an investor's application stands, and whose turn it is.",
    {
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "stage": col("text", "stage", "The stage.", choices=("IN_PROGRESS", "YOU_ACT", "WE_CHECK", "READY")),
        "why": col("text", "why", "The exact place; see the catalogue.", choices=applications.WORDS),
        "title": made("text", "In words.", ["why"], lambda row: applications.WORDS[row["why"]].title),
        "acts_next": made("text", "Whose turn it is.", ["why"], lambda row: applications.WORDS[row["why"]].who),
        "since": col("moment", "since", "Since when."),
        "until": col("moment", "until", "When time runs out, if it does.", null=True),
    },
)
KYC = Shape(
    "KycCheck",
    "What the KYC registries said about an investor.",
    {
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "is_compliant": col("yes", "is_compliant", "May they buy?"),
        "reason": col("text", "reason", "Why not; see the catalogue.", example=""),
        "explanation": made("text", "The reason in the words of the catalogue.", ["reason", "is_compliant"],
                            lambda row: None if row["is_compliant"] else kyc_reasons.default(row["reason"]).title,
                            null=True),
        "investment_limit": col("money", "investment_limit", "Rupees a year and fund house.", null=True),
        "checked_at": col("moment", "checked_at", "When we asked."),
    },
)  # fmt: skip
KYC_REQUEST = Shape(
    "KycRequest",
    "A fresh KYC that the investor does here.",
    {
        "id": col("id", "code", "Opaque id.", example="KYC-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "state": col("text", "state", "Where it stands.", choices=KycRequest.State.values),
        "state_since": col("moment", "state_since", "Since when."),
        "submitted_at": col("moment", "submitted_at", "When it was handed in.", null=True),
        "decided_at": col("moment", "decided_at", "When the registry decided.", null=True),
        "expires_at": col("moment", "expires_at", "When it runs out.", null=True),
    },
)
BANK = Shape(
    "BankAccount",
    "A bank account of an investor. The number is masked.",
    {
        "id": col("id", "code", "Opaque id.", example="BNK-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "bank_name": col("text", "bank_name", "The bank.", example="HDFC Bank"),
        "ifsc": col("text", "ifsc", "The branch.", example="HDFC0000001"),
        "number": made("text", "Masked.", ["last_four"], lambda row: f"XXXXXX{row['last_four']}",
                       example="XXXXXX4321"),
        "kind": col("text", "kind", "What kind of account.", choices=BankAccount.Kind.values),
        "is_primary": col("yes", "is_primary", "Used unless another is chosen?"),
        "verified": made("text", "How we know that it is theirs.", ["verified"], lambda row: row["verified"] or "NO",
                         choices=[each or "NO" for each in BankAccount.Verified.values]),
        "closed_at": col("moment", "closed_at", "When it was closed here.", null=True),
        "created_at": col("moment", "created_at", "When it was added."),
    },
)  # fmt: skip
MANDATE = Shape(
    "Mandate",
    "An authority to debit a bank account.",
    {
        "id": col("id", "code", "Opaque id.", example="MND-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "bank_account": col("id", "bank_account__code", "The account.", example="BNK-7K3F9QW2M4TX"),
        "kind": col("text", "kind", "How it is signed.", choices=Mandate.Kind.values),
        "state": col("text", "state", "Where it stands.", choices=Mandate.State.values),
        "is_unknown": made("yes", "Sent, and the answer is not known yet.", ["attempt"],
                           lambda row: row["attempt"] == Mandate.Outcome.UNKNOWN),
        "state_since": col("moment", "state_since", "Since when."),
        "limit": col("money", "limit", "Most rupees per debit."),
        "valid_from": col("date", "valid_from", "From when."),
        "valid_to": col("date", "valid_to", "Until when.", null=True),
        "reason": col("text", "reason", "The bank's reason when it was rejected.", example=""),
    },
)  # fmt: skip
FILE = Shape(
    "File",
    "A paper that an investor has sent: that it exists, never what it shows.",
    {
        "id": col("id", "code", "Opaque id.", example="DOC-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "kind": col("text", "kind", "What it is.", choices=Document.Kind.values),
        "media_type": col("text", "media_type", "What kind of file.", example="application/pdf"),
        "byte_size": col("count", "byte_size", "Bytes.", example=48213),
        "created_at": col("moment", "created_at", "When it was sent."),
        "replaced_at": col("moment", "replaced_at", "When a newer one took its place.", null=True),
    },
)
_PARTS = {
    "kyc": Expand(KYC, lambda call: _mine(KycCheck, call).order_by("-pk"), "pk", "investor_id", is_many=True),
    "bank_accounts": Expand(BANK, lambda call: _mine(BankAccount, call).order_by("pk"), "pk", "investor_id", True),
    "mandates": Expand(MANDATE, lambda call: _mine(Mandate, call).order_by("pk"), "pk", "investor_id", True),
}
_EXPAND_OWNER = {
    "investor": Expand(INVESTOR, lambda call: Investor.objects.filter(partner=call.partner), "investor_id", "pk")
}


@get("investors", answer=INVESTOR, scope="investors:read", expands=_PARTS, filters={
    "state": Filter("state", "Only in this state.", choices=tuple(Investor.State.values)),
    "created_from": Filter("created_at__gte", "Begun at or after this moment.", "moment"),
    "created_to": Filter("created_at__lt", "Begun before this moment.", "moment"),
})  # fmt: skip
def list_investors(call: Call) -> QuerySet[Investor]:
    """List the investors whom you brought."""
    return Investor.objects.filter(partner=call.partner)


@get("investors/<id>", answer=INVESTOR, scope="investors:read", expands=_PARTS)
def get_investor(call: Call) -> QuerySet[Investor]:
    """Read an investor."""
    return Investor.objects.filter(partner=call.partner)


@get("investors/<id>/status", answer=APPLICATION, scope="investors:read", by="investor__code")
def get_investor_status(call: Call) -> QuerySet[applications.Application]:
    """Read where an investor's application stands."""
    return applications.Application.objects.filter(investor__partner=call.partner)


# --- invitations --------------------------------------------------------------------------------------------------


def _state_of(row: Row) -> str:
    from portal import clock

    if row["used_at"]:
        return "ACCEPTED"
    return "WITHDRAWN" if row["revoked_at"] else "EXPIRED" if row["expires_at"] <= clock.now() else "OPEN"


INVITE = Shape(
    "Invitation",
    "A link by which somebody begins, sent by email. Its secret is in the message only.",
    {
        "id": col("id", "code", "Opaque id.", example="INT-7K3F9QW2M4TX"),
        "email": made("text", "Masked.", ["email"], lambda row: redaction.mask_email(row["email"]),
                      example="as***@example.org"),
        "name": col("text", "name", "As you wrote it.", example="Asha Rao"),
        "euin": col("text", "euin", "Who advised; empty for execution only.", example="E123456"),
        "state": made("text", "Where it stands.", ["used_at", "revoked_at", "expires_at"], _state_of,
                      choices=INVITE_STATES),
        "sent": made("text", "Whether the mail server took it.", ["sent"], lambda row: row["sent"] or "NO",
                     choices=("NO", "SENT", "FAILED")),
        "times_sent": col("count", "times_sent", "How often it was sent.", example=1),
        "investor": made("id", "Who came of it.", ["investor__code"], lambda row: row["investor__code"], null=True,
                         example="INV-7K3F9QW2M4TX"),
        "created_at": col("moment", "created_at", "When it was made."),
        "expires_at": col("moment", "expires_at", "Until when the link works."),
        "used_at": col("moment", "used_at", "When it was accepted.", null=True),
    },
)  # fmt: skip


class NewInvite(Body):
    """Whom to invite, and why we may write to them."""

    email = serializers.EmailField(max_length=254)
    name = TextField(max_length=70, required=False, default="")
    euin = serializers.RegexField(r"\AE[0-9]{6}\Z", required=False, default="")
    basis = TextField(max_length=300, help_text="Why we may write to this person (DPDP Act 2023, section 6).")


@get("invites", answer=INVITE, scope="investors:read")
def list_invites(call: Call) -> QuerySet[Invite]:
    """List your invitations."""
    return Invite.objects.filter(partner=call.partner)


@get("invites/<id>", answer=INVITE, scope="investors:read")
def get_invite(call: Call) -> QuerySet[Invite]:
    """Read an invitation."""
    return Invite.objects.filter(partner=call.partner)


@post("invites", answer=INVITE, scope="investors:write", body=NewInvite, status=201,
      failures=(invites.AlreadyInvited,),
      example={"email": "asha@example.org", "name": "Asha Rao", "basis": "Asked us for it on 20 Nov 2026"},
)  # fmt: skip
def invite_investor(call: Call) -> QuerySet[Invite]:
    """Invite somebody: a link that works once is on its way to them."""
    row = invites.invite(
        email=call.data["email"],
        name=call.data["name"],
        filled={},
        partner=call.partner,
        euin=call.data["euin"],
        basis=call.data["basis"],
        actor=call.actor,
        at=call.at,
    )
    return Invite.objects.filter(pk=row.pk)


@post("invites/<id>/resend", answer=INVITE, scope="investors:write",
      failures=(invites.Closed, invites.TooManyMessages))  # fmt: skip
def resend_invite(call: Call) -> QuerySet[Invite]:
    """Send an invitation again: a new link, and the old one no longer works."""
    row = _invite(call)
    if row is not None:
        invites.resend(invite_id=row.pk, actor=call.actor, reason="", at=call.at)
    return Invite.objects.filter(pk=row.pk) if row else Invite.objects.none()


@post("invites/<id>/withdraw", answer=INVITE, scope="investors:write", failures=(invites.Closed,))
def withdraw_invite(call: Call) -> QuerySet[Invite]:
    """Withdraw an invitation: its link no longer works."""
    row = _invite(call)
    if row is not None:
        invites.revoke(invite_id=row.pk, actor=call.actor, reason="", at=call.at)
    return Invite.objects.filter(pk=row.pk) if row else Invite.objects.none()


def _invite(call: Call) -> Invite | None:
    return Invite.objects.filter(partner=call.partner, code=call.id).first()


# --- what investors have authorised -------------------------------------------------------------------------------


@get("kyc-checks", answer=KYC, scope="investors:read", filters={"investor": OWNER})
def list_kyc_checks(call: Call) -> QuerySet[KycCheck]:
    """List what the KYC registries said, newest first."""
    return _mine(KycCheck, call)


@get("kyc-requests", answer=KYC_REQUEST, scope="investors:read", filters={"investor": OWNER})
def list_kyc_requests(call: Call) -> QuerySet[KycRequest]:
    """List fresh KYCs, newest first."""
    return _mine(KycRequest, call)


@get("bank-accounts", answer=BANK, scope="banks:read", filters={"investor": OWNER})
def list_bank_accounts(call: Call) -> QuerySet[BankAccount]:
    """List bank accounts."""
    return _mine(BankAccount, call)


@get("bank-accounts/<id>", answer=BANK, scope="banks:read")
def get_bank_account(call: Call) -> QuerySet[BankAccount]:
    """Read a bank account."""
    return _mine(BankAccount, call)


@get("mandates", answer=MANDATE, scope="mandates:read", filters={
    "investor": OWNER, "state": Filter("state", "Only in this state.", choices=tuple(Mandate.State.values)),
})  # fmt: skip
def list_mandates(call: Call) -> QuerySet[Mandate]:
    """List mandates."""
    return _mine(Mandate, call)


@get("mandates/<id>", answer=MANDATE, scope="mandates:read")
def get_mandate(call: Call) -> QuerySet[Mandate]:
    """Read a mandate."""
    return _mine(Mandate, call)


@get("files", answer=FILE, scope="files:read", filters={"investor": OWNER})
def list_files(call: Call) -> QuerySet[Document]:
    """List which papers investors have sent."""
    return _mine(Document, call)


@get("files/<id>", answer=FILE, scope="files:read")
def get_file(call: Call) -> QuerySet[Document]:
    """Read that a paper was sent."""
    return _mine(Document, call)


# --- the catalogue ------------------------------------------------------------------------------------------------

catalogue.add("application_places", lambda: {why: words.title for why, words in applications.WORDS.items()})
catalogue.add("investor_states", lambda: dict(Investor.State.choices))
catalogue.add("kyc_reasons", lambda: {code: reason.title for code, reason in kyc_reasons.REASONS.items()})
catalogue.add("kyc_request_states", lambda: dict(KycRequest.State.choices))
catalogue.add("mandate_states", lambda: {str(state): words.title for state, words in mandate_words.STATES.items()})
catalogue.add("file_kinds", lambda: dict(Document.Kind.choices))

__all__ = ["INVESTOR", "OWNER"]
