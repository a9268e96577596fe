"""Partner endpoints about what investors have authorised: bank accounts and mandates, and the papers they have sent."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from investors import mandate_words, merged_banks
from investors.api.owners import OWNER, mine
from investors.models import BankAccount, Document, Mandate
from investors.operations import mandates, partner_asks
from portal.api import catalogue
from portal.api.door import Call
from portal.api.endpoints import post, reads
from portal.api.errors import Trouble
from portal.api.shapes import Filter, Shape, col, made

BANK = Shape(
    "BankAccount",
    "A bank account of an investor. The number is masked.",
    {
        "id": col("id", "code", "Opaque id.", example="BNK-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "bank_name": col("text", "bank_name", "The bank.", example="HDFC Bank"),
        "ifsc": col("text", "ifsc", "The branch.", example="HDFC0000001"),
        "ifsc_ended": made("yes", "Did this IFSC end, because its bank is part of another one now?", ["ifsc"],
                           lambda row: merged_banks.of(row["ifsc"]) is not None),
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
LINK = Shape(
    "Link",
    "A page of ours on which the signed-in investor goes on. It shows nothing to anybody else.",
    {
        "investor": col("id", "investor", "The investor.", example="INV-7K3F9QW2M4TX"),
        "object": col("id", "object", "What it is about.", example="MND-7K3F9QW2M4TX"),
        "url": col("url", "url", "The page."),
        "told": col("yes", "told", "Was the investor told just now? False: they were told earlier today."),
    },
)


reads("bank-accounts", lambda call: mine(BankAccount, call), answer=BANK, scope="banks:read", is_steady=True,
      filters={"investor": OWNER}, one="Read a bank account.", many="List bank accounts.")  # fmt: skip
reads("mandates", lambda call: mine(Mandate, call), answer=MANDATE, scope="mandates:read", is_steady=True, filters={
    "investor": OWNER, "state": Filter("state", "Only in this state.", choices=tuple(Mandate.State.values)),
}, one="Read a mandate.", many="List mandates.")  # fmt: skip
reads("files", lambda call: mine(Document, call), answer=FILE, scope="files:read", filters={"investor": OWNER},
      is_steady=True, one="Read that a paper was sent.", many="List which papers investors have sent.")  # fmt: skip


@post("mandates/<id>/authorise-link", answer=LINK, scope="mandates:write", failures=(mandates.NotPossible,))
def link_to_authorise(call: Call) -> dict[str, Any]:
    """Get the page from which an investor goes to the bank and authorises a mandate, and tell them once a day."""
    mandate = mine(Mandate, call).filter(code=call.id).select_related("investor").first()
    if mandate is None:
        raise Trouble("not_found")
    told = partner_asks.ask_to_authorise(mandate=mandate, partner=call.partner, actor=call.actor, at=call.at)
    url = settings.PUBLIC_URL + reverse("investors:mandate", args=[mandate.code])
    return {"investor": mandate.investor.code, "object": mandate.code, "url": url, "told": told}


catalogue.add("mandate_states", lambda: {str(state): words.title for state, words in mandate_words.STATES.items()})
catalogue.add("file_kinds", lambda: dict(Document.Kind.choices))
