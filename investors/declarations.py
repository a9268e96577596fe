"""What an investor declares before we register them. The exact words are kept in the audit log with the yes.

Change a text: change it here and set WORDED_ON; what people declared earlier stays as they saw it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

WORDED_ON = date(2026, 11, 1)

# With every order: without an EUIN it is execution only, and the investor says so (SEBI circular of 13 Sep 2012;
# providers.md 3.6). In our words; the declaration on fund houses' forms says the same at greater length.
EXECUTION_ONLY = (
    "I chose this fund myself. This order is execution only: no employee, relationship manager or sales person of the "
    "distributor advised me on it, or I go against their advice that it does not suit me. The EUIN is therefore left "
    "blank on purpose."
)
# SEBI circular of 15 Jun 2022 (nomination for mutual fund unit holders), annexure A, worded for one holder. Since
# 15 Dec 2025 a new folio without nominee also needs a signed declaration or a video (BSE circular of 9 Dec 2025;
# providers.md 6.2), which cannot be given here: the page says so before the choice is made.
OPT_OUT = (
    "I hereby confirm that I do not wish to appoint any nominee(s) for my mutual fund units held in my mutual fund "
    "folio and understand the issues involved in non-appointment of nominee(s) and further am aware that in case of "
    "my death, my legal heir(s) would need to submit all the requisite documents issued by Court or other such "
    "competent authority, based on the value of assets held in the mutual fund folio."
)
NOMINATE = (
    "I nominate the persons shown above to receive my mutual fund units in the event of my death, in the shares shown."
)

# Income-tax Rules 114F to 114H.
ONLY_INDIA = "I am a resident of India for tax purposes and of no other country"
TAXED_ELSEWHERE = "I am a resident for tax purposes of the countries shown above, and of no others"

# Hindu Minority and Guardianship Act 1956, Guardians and Wards Act 1890; Majority Act 1875, section 3.
GUARDIAN = (
    "I am the parent or court-appointed guardian of {child}, and declare everything here for {child}. I know that my "
    "authority ends on the day {child} turns 18: orders and debits stop then until {child} is registered in their own "
    "name. A folio of a minor has no nominee."
)


@dataclass(frozen=True)
class Declaration:
    """One sentence with a box of its own."""

    slug: str
    text: str


def declarations(
    *, opted_out: bool, legal_name: str, arn: str, taxed_elsewhere: bool = False, child: str = ""
) -> tuple[Declaration, ...]:
    """What has to be declared, in the order of the page. `child`: the minor for whom a guardian declares."""
    if child:
        return (Declaration("guardian", GUARDIAN.format(child=child)), *_everybody(legal_name, arn, taxed_elsewhere))
    nomination = Declaration("nomination", OPT_OUT if opted_out else NOMINATE)
    tax, execution, terms = _everybody(legal_name, arn, taxed_elsewhere)
    return (tax, execution, nomination, terms)


def tax(*, elsewhere: bool) -> str:
    """What is declared about where tax is paid."""
    return (
        f"{TAXED_ELSEWHERE if elsewhere else ONLY_INDIA}, and what I have stated for FATCA and CRS is true. "
        "I will tell you within 30 days when it changes."
    )


def _everybody(legal_name: str, arn: str, taxed_elsewhere: bool) -> tuple[Declaration, Declaration, Declaration]:
    return (
        Declaration("fatca", tax(elsewhere=taxed_elsewhere)),
        Declaration(
            "execution",
            f"I ask {legal_name} (AMFI-registered mutual fund distributor, {arn}) to carry out my orders. They "
            "carry out what I choose; they give me no advice, and fund houses pay them commission for regular plans.",
        ),
        Declaration(
            "terms",
            "What I have entered is mine and correct, the bank account is in my own name, and you may send it to the "
            "fund houses, registrars and KYC registries that need it for my orders.",
        ),
    )
