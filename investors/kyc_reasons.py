"""Why a PAN is not ready for investing, or a paper not accepted, what to do about it, and who must act: as data.

Reasons are FP's words (KYC check, `reason`; providers.md 3.11); a word that is not here is explained as
"unknown". What each allows: only validated KYC may invest freely; registered or verified KYC in folios
that exist already; KYC on hold or rejected not at all (providers.md 6.2, after SEBI's circular of
11 Aug 2023 on validation by the KRAs and its KYC master circular of 12 Oct 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.desk import wordings


@dataclass(frozen=True)
class Reason:
    """One obstacle in words for the investor."""

    title: str
    meaning: str
    to_do: str
    who: str
    meanwhile: str
    # Does a fresh KYC in this portal help? (investors/operations/kyc_requests.py)
    fresh: bool = False


_NOTHING_MOVES = (
    "Units that you already own stay yours. Fund houses take no purchase of yours until this is solved, and may hold "
    "back sales too."
)
_WAIT = "Units that you already own stay yours. This portal places no purchase for you before it is finished."
_CORRECT_AT_A_KRA = (
    "Open the website of any KYC registry (CVL, CAMS, KFintech, NDML or NSE), enter your PAN, and follow "
    "“Modify KYC”. It takes a few working days."
)

REASONS: dict[str, Reason] = {
    "unavailable": Reason(
        "No KYC registry knows this PAN yet",
        "You have not done KYC for mutual funds or shares before, or it was done under another PAN.",
        "Do your KYC once: here, with your PAN card, a proof of address, a photo, your signature and a short video; or "
        "with any fund house or KYC registry. It then counts for every fund house.",
        "You, then the registry",
        "Nothing that you own changes.",
        fresh=True,
    ),
    "incomplete": Reason(
        "Your KYC is registered but not validated",
        "The registry could not match your PAN with Aadhaar, or your mobile number or email is not verified.",
        "First link PAN and Aadhaar on the Income Tax e-filing site if they are not linked. " + _CORRECT_AT_A_KRA,
        "You",
        "Fund houses in which you already have a folio may still accept orders. This portal does not place them.",
    ),
    "onhold": Reason(
        "Your KYC is on hold",
        "A registry found something in your papers that does not match: often the name, the address proof or the "
        "link between PAN and Aadhaar.",
        "The registry has written to you about what is missing. " + _CORRECT_AT_A_KRA,
        "You, then the registry",
        _NOTHING_MOVES,
    ),
    "rejected": Reason(
        "The registry rejected your KYC papers",
        "A document could not be read or did not match the PAN record.",
        "Send fresh copies of your papers: here, or at a registry. " + _CORRECT_AT_A_KRA,
        "You, then the registry",
        _NOTHING_MOVES,
        fresh=True,
    ),
    "underprocess": Reason(
        "Your KYC is being worked on",
        "Your papers have arrived at the registry and are being checked.",
        "Wait. It usually takes two to three working days. Check again here afterwards.",
        "The registry",
        _WAIT,
    ),
    "legacy": Reason(
        "Your KYC record is an old one",
        "It was made under earlier rules, and new investments need it in today's form.",
        _CORRECT_AT_A_KRA,
        "You",
        _WAIT,
    ),
    "deactivated": Reason(
        "Your KYC record has been switched off",
        "A registry or an authority has closed this record.",
        "Ask the registry that keeps it for the reason. Only they can open it again.",
        "You and the registry",
        _NOTHING_MOVES,
    ),
    "unknown": Reason(
        "The registry did not confirm this PAN",
        "It gave no reason that we can read. Most often the PAN was mistyped or is no longer valid.",
        "Compare the PAN with your card. If it is right, ask any KYC registry about its status.",
        "You",
        _WAIT,
    ),
}


def _key(reason: str) -> str:
    """FP's word in any spelling of case and spaces."""
    known = reason.lower().replace("_", "").replace(" ", "").replace("-", "")
    return known if known in REASONS else "unknown"


def default(reason: str) -> Reason:
    """The entry for FP's word, in the words of this file."""
    return REASONS[_key(reason)]


def explain(reason: str, *, at: datetime) -> Reason:
    """The entry for FP's word as it is told to an investor: in the words that hold at `at`."""
    return wordings.spoken(CATALOGUE, _key(reason), default(reason), at=at)


CATALOGUE = "kyc_reason"
wordings.register(CATALOGUE, "KYC", lambda: REASONS)


@dataclass(frozen=True)
class Rejection:
    """Why one field or file of a fresh KYC was not accepted, in words for the investor."""

    title: str
    to_do: str


# FP's codes (given document, "KYC Requests", Verification Details); the last ones are our own desk's.
REJECTIONS: dict[str, Rejection] = {
    "data_mismatch": Rejection(
        "does not match the document", "Compare it with the document letter by letter, or send a clearer picture."
    ),
    "document_invalid": Rejection(
        "is not a valid document for this", "Send another one: in force, whole, and in English or with a translation."
    ),
    "document_unclear": Rejection(
        "cannot be read", "Photograph it again in daylight: flat, whole, sharp, without a reflection."
    ),
    "data_missing": Rejection("is missing", "Enter or send it again."),
    "cut_off": Rejection("is cut off", "Send the whole page or card, with all four corners in the picture."),
    "wrong_side": Rejection("shows the wrong side", "Send the other side."),
    "somebody_else": Rejection("is not yours, as far as we can see", "Send your own, in your own name."),
    "unknown": Rejection("was not accepted", "Please look it over and send it again."),
}


def explain_rejection(code: str) -> Rejection:
    """The entry for a code; a code that is not here is explained as "unknown"."""
    return REJECTIONS.get(code.lower(), REJECTIONS["unknown"])
