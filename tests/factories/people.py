"""Users, partners, investors and what they have authorised."""

from __future__ import annotations

from datetime import date
from typing import Any

import factory
from allauth.account.models import EmailAddress
from factory.django import DjangoModelFactory

from investors.models import Address, BankAccount, InvestmentAccount, Investor, KycCheck, Nominee
from portal import clock
from portal.models import Partner, User

PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory):
    """Somebody with a verified e-mail address and the password `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@portal.example")
    mobile = factory.Sequence(lambda n: f"98{n:08d}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        password = kwargs.pop("password", PASSWORD)
        return model_class.objects.create_user(password=password, **kwargs)

    @factory.post_generation
    def verified(self: User, create: bool, extracted: bool | None, **_: Any) -> None:  # type: ignore[misc]
        if create and extracted is not False:
            EmailAddress.objects.create(user=self, email=self.email, verified=True, primary=True)


class PartnerFactory(DjangoModelFactory):
    """A firm that brings investors."""

    class Meta:
        model = Partner

    code = factory.Sequence(lambda n: f"PARTNER{n}")
    name = factory.Sequence(lambda n: f"Partner {n} Wealth")


class InvestorFactory(DjangoModelFactory):
    """Somebody in the middle of onboarding. `given_pan=` gives a PAN; digits 3751 are compliant, 3753 unknown."""

    class Meta:
        model = Investor
        skip_postgeneration_save = True

    class Params:
        given_pan = ""

    user = factory.SubFactory(UserFactory)
    name = "Somebody Rao"
    mobile = factory.SelfAttribute("user.mobile")

    @classmethod
    def _create(cls, model_class: type[Investor], *args: Any, **kwargs: Any) -> Investor:
        pan = kwargs.pop("pan", "")
        investor = model_class(*args, **kwargs)
        if pan:
            investor.set_pan(pan)
        investor.save()
        return investor

    pan = factory.SelfAttribute("given_pan")


class ReadyInvestorFactory(InvestorFactory):
    """READY to invest, with address, bank and investment account. FP's ids are made up: see `register_at_fp`."""

    class Params:
        given_pan = factory.Sequence(lambda n: f"RDYP{chr(66 + n // 9000 % 7)}{1000 + n % 9000:04d}Z")

    state = Investor.State.READY
    date_of_birth = date(1990, 5, 17)
    gender = Investor.Gender.FEMALE
    marital_status = Investor.MaritalStatus.SINGLE
    occupation = Investor.Occupation.PRIVATE_SECTOR_SERVICE
    source_of_wealth = Investor.SourceOfWealth.SALARY
    gross_annual_income = 1_200_000
    tax_resident_only_in_india = True
    is_politically_exposed = False
    is_related_to_politically_exposed = False
    nomination_opted_out = True
    provider_ref = factory.Sequence(lambda n: f"{900_000 + n}")

    kyc = factory.RelatedFactory("tests.factories.people.KycCheckFactory", "investor")
    address = factory.RelatedFactory("tests.factories.people.AddressFactory", "investor")
    bank = factory.RelatedFactory("tests.factories.people.BankAccountFactory", "investor")
    account = factory.RelatedFactory("tests.factories.people.InvestmentAccountFactory", "investor")


class KycCheckFactory(DjangoModelFactory):
    """What the registries said about the investor's PAN."""

    class Meta:
        model = KycCheck

    investor = factory.SubFactory(InvestorFactory)
    pan_index = factory.LazyAttribute(lambda o: o.investor.pan_index or "0" * 64)
    provider_ref = factory.Sequence(lambda n: f"kyc{n}")
    is_compliant = factory.LazyAttribute(lambda o: o.investor.pan[5:9] != "3753")
    verbatim = "Y|KS100"
    checked_at = factory.LazyFunction(clock.now)


class AddressFactory(DjangoModelFactory):
    """In Bengaluru."""

    class Meta:
        model = Address

    investor = factory.SubFactory(InvestorFactory)
    line1 = "12 Residency Road"
    pincode = "560025"
    city = "Bangalore"
    state = "KARNATAKA"


class NomineeFactory(DjangoModelFactory):
    """The only nominee."""

    class Meta:
        model = Nominee

    investor = factory.SubFactory(InvestorFactory)
    position = 1
    name = "Lata Rao"
    relationship = "Mother"
    date_of_birth = date(1962, 3, 4)
    share = 100


class BankAccountFactory(DjangoModelFactory):
    """The investor's primary account; a number ending in 11XX is one that FP verifies."""

    class Meta:
        model = BankAccount

    investor = factory.SubFactory(InvestorFactory)
    holder_name = factory.SelfAttribute("investor.name")
    number = factory.Sequence(lambda n: f"5010{n:06d}1121")
    kind = BankAccount.Kind.SAVINGS
    ifsc = "HDFC0000001"
    bank_name = "HDFC Bank"
    branch_name = "Tulsiani Chambers, Nariman Point"
    is_primary = True
    provider_ref = factory.Sequence(lambda n: f"{700_000 + n}")

    @classmethod
    def _create(cls, model_class: type[BankAccount], *args: Any, **kwargs: Any) -> BankAccount:
        number = kwargs.pop("number")
        account = model_class(*args, **kwargs)
        account.set_number(number)
        account.save()
        return account


class InvestmentAccountFactory(DjangoModelFactory):
    """The account at FP; ids there are above 2^53."""

    class Meta:
        model = InvestmentAccount

    investor = factory.SubFactory(InvestorFactory)
    provider_ref = factory.Sequence(lambda n: f"{2654461373273791985 + n}")


def register_at_fp(investor: Investor) -> Investor:
    """Make the investor, bank account and investment account really exist in the sandbox, and keep FP's ids."""
    from portal.fintech_primitives.client import client
    from portal.fintech_primitives.messages import NewInvestor
    from portal.gateway.journal import about

    banks = list(investor.bankaccounts.order_by("pk"))
    asked = NewInvestor.model_validate(_fp_body(investor, banks))
    answer = client().create_investor(asked, about(investor))
    for ours, theirs in zip(banks, answer.bank_accounts, strict=True):
        ours.provider_ref = theirs.id
        ours.save(update_fields=["provider_ref"])
    investor.provider_ref = answer.id
    investor.save(update_fields=["provider_ref"])
    account = investor.investmentaccounts.get()
    account.provider_ref = client().create_investment_account(answer.id, about(investor)).investment_account_id
    account.save(update_fields=["provider_ref"])
    return investor


def _fp_body(investor: Investor, banks: list[BankAccount]) -> dict[str, Any]:
    address = investor.addresss.get()
    return {
        "display_name": investor.name,
        "perm_addr_is_corres_addr": True,
        "correspondence_address": {"line1": address.line1, "pincode": address.pincode},
        "contact_detail": {"email": investor.user.email, "isd_code": "91", "mobile": investor.mobile},
        "fatca_detail": {
            "country_of_birth_ansi_code": investor.country_of_birth,
            "source_of_wealth": investor.source_of_wealth,
            "gross_annual_income": investor.gross_annual_income,
            "no_other_tax_residences": True,
        },
        "kyc_identity_detail": {
            "name": investor.name,
            "date_of_birth": str(investor.date_of_birth),
            "marital_status": investor.marital_status,
            "pan_number": investor.pan,
            "gender": investor.gender,
            "occupation": investor.occupation,
            "residential_status": "RESIDENT_INDIVIDUAL",
            "country_of_citizenship_ansi_code": "IN",
            "pan_exempt": False,
            "pep_exposed": False,
            "pep_related": False,
            # Files that only the BSE gateway asks for: those that the document's examples name.
            "signature": "beed6916-cec6-4f4f-bcc8-ed4d93b55660",
        },
        "nomination": {"skip_nomination": True},
        "bank_accounts": [
            {
                "account_holder_name": bank.holder_name,
                "number": bank.number,
                "primary_account": bank.is_primary,
                "type": bank.kind,
                "ifsc_code": bank.ifsc,
                "cancelled_cheque": "3867a9c6-8a7c-4605-a31d-98367e8972b4",
            }
            for bank in banks
        ],
    }
