"""Factories build consistent graphs: what depends on a parent is derived from it, so a factory cannot make nonsense."""

from tests.factories.life import (
    ChangeRequestFactory,
    DocumentFactory,
    FieldSourceFactory,
    InviteFactory,
    KycRequestFactory,
    MandateFactory,
    TaxResidenceFactory,
)
from tests.factories.money import (
    ConsentFactory,
    FolioFactory,
    HoldingFactory,
    OrderFactory,
    PaymentFactory,
    TransactionFactory,
)
from tests.factories.people import (
    PASSWORD,
    AddressFactory,
    BankAccountFactory,
    InvestmentAccountFactory,
    InvestorFactory,
    KycCheckFactory,
    NomineeFactory,
    PartnerFactory,
    ReadyInvestorFactory,
    UserFactory,
    register_at_fp,
)
from tests.factories.plans import CartFactory, CartLineFactory, PlanFactory
from tests.factories.schemes import FundHouseFactory, NavFactory, SchemeFactory

__all__ = [
    "PASSWORD",
    "AddressFactory",
    "BankAccountFactory",
    "CartFactory",
    "CartLineFactory",
    "ChangeRequestFactory",
    "ConsentFactory",
    "DocumentFactory",
    "FieldSourceFactory",
    "FolioFactory",
    "FundHouseFactory",
    "HoldingFactory",
    "InvestmentAccountFactory",
    "InvestorFactory",
    "InviteFactory",
    "KycCheckFactory",
    "KycRequestFactory",
    "MandateFactory",
    "NavFactory",
    "NomineeFactory",
    "OrderFactory",
    "PartnerFactory",
    "PaymentFactory",
    "PlanFactory",
    "ReadyInvestorFactory",
    "SchemeFactory",
    "TaxResidenceFactory",
    "TransactionFactory",
    "UserFactory",
    "register_at_fp",
]
