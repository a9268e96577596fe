"""The steps of onboarding as a table: what each is called and when it is done. Pages and checks all read this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from investors import bank_rules, rules
from investors.models import PAN_INDEX, Address, BankAccount, Document, Investor, KycCheck, Nominee, TaxResidence
from portal.encryption import blind_indexes

PAN = "pan"
GUARDIAN = "guardian"
PERSONAL = "personal"
FATCA = "fatca"
ADDRESS = "address"
NOMINEES = "nominees"
BANK = "bank"
PAPERS = "papers"
REVIEW = "review"
ADDRESS_COLUMNS = ("line1", "line2", "line3", "pincode", "city", "state", "country")


@dataclass(frozen=True)
class Profile:
    """Everything an application consists of, read at once."""

    investor: Investor
    kyc: KycCheck | None = None
    address: Address | None = None
    permanent: Address | None = None
    overseas: Address | None = None
    residences: tuple[TaxResidence, ...] = ()
    nominees: tuple[Nominee, ...] = ()
    bank: BankAccount | None = None
    signature: Document | None = None

    @property
    def addresses(self) -> dict[str, dict[str, str] | None]:
        """Kind of address -> its columns; None where there is none."""
        found = zip(Address.Kind.values, (self.address, self.permanent, self.overseas), strict=True)
        return {kind: {name: getattr(each, name) for name in ADDRESS_COLUMNS} if each else None for kind, each in found}

    @property
    def is_non_resident(self) -> bool:
        """Does the person live outside India?"""
        return self.investor.kind == Investor.Kind.NRI

    @property
    def kyc_of_this_pan(self) -> KycCheck | None:
        """The newest answer about the PAN that stands on the row now; an answer about an earlier PAN is none."""
        if self.kyc is None or self.kyc.pan_index == self.investor.kyc_pan_index:
            return self.kyc
        # Not claimed, or its key is being changed: the PAN itself tells.
        return self.kyc if self.kyc.pan_index in blind_indexes(self.investor.kyc_pan, PAN_INDEX) else None


@dataclass(frozen=True)
class Step:
    """One page of onboarding."""

    slug: str
    title: str
    about: str
    is_done: Callable[[Profile], bool]
    # Nobody needs it for the orders that are placed here: it stands in the list, and is not waited for.
    is_optional: Callable[[], bool] = lambda: False
    # Whose application has this step.
    applies: Callable[[Investor], bool] = lambda investor: True
    # The same for a minor, where the words differ.
    title_for_minor: str = ""
    about_for_minor: str = ""
    # And where a step that is optional elsewhere is not.
    about_if_needed: str = ""

    def words_for(self, investor: Investor) -> tuple[str, str]:
        """(title, about) of the page."""
        if self.about_if_needed and not self.is_optional():
            return self.title, self.about_if_needed
        if not investor.is_minor:
            return self.title, self.about
        return self.title_for_minor or self.title, self.about_for_minor or self.about


def _pan(profile: Profile) -> bool:
    check = profile.kyc_of_this_pan
    return check is not None and check.is_compliant and bool(not profile.investor.is_minor or profile.investor.pan)


def _guardian(profile: Profile) -> bool:
    who = profile.investor
    return bool(who.guardian_name and who.guardian_date_of_birth and who.guardian_relationship)


def _personal(profile: Profile) -> bool:
    who = profile.investor
    named = who.name and who.date_of_birth and who.gender and who.marital_status
    return bool(named and who.occupation and who.mobile) and not problem_with_email(profile)


def problem_with_email(profile: Profile) -> str:
    """Why nobody can be registered with the address of this login; empty when they can."""
    gateway = settings.FP_ORDER_GATEWAY
    if gateway not in rules.EMAIL_LENGTHS:
        return ""
    try:
        rules.check_email(profile.investor.user.email, gateway)
    except ValueError as error:
        return str(error)
    return ""


def _fatca(profile: Profile) -> bool:
    who = profile.investor
    answered = None not in (who.is_politically_exposed, who.is_related_to_politically_exposed)
    stated = who.country_of_birth and who.source_of_wealth and who.gross_annual_income
    taxed = who.tax_resident_only_in_india or (who.tax_resident_only_in_india is False and profile.residences)
    return bool(stated and answered and taxed)


def _address(profile: Profile) -> bool:
    """A non-resident also has an address abroad (given document, "Create Investor": `overseas_address`)."""
    return profile.address is not None and (profile.overseas is not None) == profile.is_non_resident


def _nominees(profile: Profile) -> bool:
    if profile.investor.nomination_opted_out:
        return True
    return bool(profile.nominees) and sum(nominee.share for nominee in profile.nominees) == 100


def _bank(profile: Profile) -> bool:
    """Its kind is one that this person may use: where somebody lives can change after the bank was entered."""
    return profile.bank is not None and profile.bank.kind in bank_rules.KINDS[Investor.Kind(profile.investor.kind)]


def papers_of(profile: Profile) -> set[str]:
    """The kinds of papers that are there."""
    cheque = profile.bank is not None and profile.bank.cancelled_cheque_id is not None
    there = {Document.Kind.SIGNATURE: profile.signature is not None, Document.Kind.CANCELLED_CHEQUE: cheque}
    return {str(kind) for kind, is_there in there.items() if is_there}


def papers_are_optional() -> bool:
    """The exchange opens no account without a signature and a cheque (given document, "Create Investor")."""
    return bool(settings.FP_ORDER_GATEWAY != "BSE")


def _papers(profile: Profile) -> bool:
    return bool(papers_of(profile)) if papers_are_optional() else len(papers_of(profile)) == 2


def _is_minor(investor: Investor) -> bool:
    return investor.is_minor


def _is_adult(investor: Investor) -> bool:
    return not investor.is_minor


STEPS = (
    Step(
        PAN,
        "PAN and KYC",
        "We ask the KYC registries whether you may invest.",
        _pan,
        title_for_minor="PAN and KYC",
        about_for_minor="The child's PAN, and yours: the registries are asked about the guardian.",
    ),
    Step(GUARDIAN, "Guardian", "Who acts for the child until it is 18.", _guardian, applies=_is_minor),
    Step(
        PERSONAL,
        "About you",
        "Name as on your PAN card, date of birth, mobile.",
        _personal,
        title_for_minor="About the child",
        about_for_minor="Name as on the child's PAN card, date of birth.",
    ),
    Step(FATCA, "Tax and income", "The FATCA declaration that the law asks of everybody.", _fatca),
    Step(ADDRESS, "Address", "Where fund houses may write to you.", _address),
    # Nomination is for individuals who apply on their own behalf: a folio of a minor has none (SEBI (Mutual Funds)
    # Regulations 1996, regulation 29A).
    Step(
        NOMINEES,
        "Nominee",
        "Who receives your units one day, or that you name nobody.",
        _nominees,
        applies=_is_adult,
    ),
    Step(
        BANK,
        "Bank account",
        "Your own account: you pay from it, and money comes back to it.",
        _bank,
        about_for_minor="The child's own account, alone or jointly with you: money comes back to it.",
    ),
    Step(
        PAPERS,
        "Signature and cheque",
        "Not needed for orders placed here. Fund houses may ask for them later.",
        _papers,
        is_optional=papers_are_optional,
        about_if_needed="The exchange, through which your orders go, asks for both before it opens your account.",
    ),
)


def steps_of(investor: Investor) -> tuple[Step, ...]:
    """The steps of this application, in their order."""
    return tuple(step for step in STEPS if step.applies(investor))


BY_SLUG = {step.slug: step for step in STEPS}
