"""Partner endpoints about invitations: how a partner brings an investor."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers

from investors.models import Invite
from investors.operations import invites
from portal import arns, clock, redaction
from portal.api.bodies import Body, TextField
from portal.api.door import Call
from portal.api.endpoints import post, reads
from portal.api.shapes import Row, Shape, col, made

INVITE_STATES = ("OPEN", "ACCEPTED", "WITHDRAWN", "EXPIRED")


def _state_of(row: Row) -> str:
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


def _all(call: Call) -> QuerySet[Invite]:
    return Invite.objects.filter(partner=call.partner)


reads("invites", _all, answer=INVITE, scope="investors:read", one="Read an invitation.", many="List your invitations.")


@post("invites", answer=INVITE, scope="investors:write", body=NewInvite, status=201,
      failures=(invites.AlreadyInvited, invites.TooManyMessages, arns.ArnEnded),
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
      failures=(invites.Closed, invites.TooManyMessages, arns.ArnEnded))  # fmt: skip
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
