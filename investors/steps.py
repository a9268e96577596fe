"""The steps of onboarding as a table: what each is called and when it is done. Pages and checks all read this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from investors.models import Address, BankAccount, Investor, KycCheck, Nominee

PAN = "pan"
PERSONAL = "personal"
FATCA = "fatca"
ADDRESS = "address"
NOMINEES = "nominees"
BANK = "bank"
REVIEW = "review"


@dataclass(frozen=True)
class Profile:
    """Everything an application consists of, read at once."""

    investor: Investor
    kyc: KycCheck | None = None
    address: Address | None = None
    nominees: tuple[Nominee, ...] = ()
    bank: BankAccount | None = None

    @property
    def kyc_of_this_pan(self) -> KycCheck | None:
        """The newest answer about the PAN that stands on the row now; an answer about an earlier PAN is none."""
        claimed = self.investor.pan_index
        return self.kyc if self.kyc and claimed and self.kyc.pan_index == claimed else None


@dataclass(frozen=True)
class Step:
    """One page of onboarding."""

    slug: str
    title: str
    about: str
    is_done: Callable[[Profile], bool]


def _pan(profile: Profile) -> bool:
    check = profile.kyc_of_this_pan
    return check is not None and check.is_compliant


def _personal(profile: Profile) -> bool:
    who = profile.investor
    named = who.name and who.date_of_birth and who.gender and who.marital_status
    return bool(named and who.occupation and who.mobile)


def _fatca(profile: Profile) -> bool:
    who = profile.investor
    answered = None not in (who.is_politically_exposed, who.is_related_to_politically_exposed)
    stated = who.country_of_birth and who.source_of_wealth and who.gross_annual_income
    return bool(stated and answered and who.tax_resident_only_in_india)


def _address(profile: Profile) -> bool:
    return profile.address is not None


def _nominees(profile: Profile) -> bool:
    if profile.investor.nomination_opted_out:
        return True
    return bool(profile.nominees) and sum(nominee.share for nominee in profile.nominees) == 100


def _bank(profile: Profile) -> bool:
    return profile.bank is not None


STEPS = (
    Step(PAN, "PAN and KYC", "We ask the KYC registries whether you may invest.", _pan),
    Step(PERSONAL, "About you", "Name as on your PAN card, date of birth, mobile.", _personal),
    Step(FATCA, "Tax and income", "The FATCA declaration that the law asks of everybody.", _fatca),
    Step(ADDRESS, "Address", "Where fund houses may write to you.", _address),
    Step(NOMINEES, "Nominee", "Who receives your units one day, or that you name nobody.", _nominees),
    Step(BANK, "Bank account", "Your own account: you pay from it, and money comes back to it.", _bank),
)
BY_SLUG = {step.slug: step for step in STEPS}
