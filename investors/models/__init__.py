"""An investor and what they have authorised. PAN and account numbers are encrypted, found by blind index."""

from investors.models.authority import Authority
from investors.models.banks import ACCOUNT_INDEX, BankAccount, Mandate
from investors.models.cases import CaseMessage, InvestorCase
from investors.models.changes import ChangeRequest, FieldSource, Invite
from investors.models.consents import Consent
from investors.models.desk import Application, DoubleAnswer, Merge, NameWord, PossibleDouble
from investors.models.documents import Document
from investors.models.kyc import KycCheck, KycRequest
from investors.models.people import PAN_INDEX, Address, InvestmentAccount, Investor, Nominee, Owned, TaxResidence
from investors.models.privacy import DataExport, ErasureRequest
from investors.models.transfers import FirmTransfer, InvestorTransfer, Transfer

__all__ = [
    "ACCOUNT_INDEX",
    "PAN_INDEX",
    "Address",
    "Application",
    "Authority",
    "BankAccount",
    "CaseMessage",
    "ChangeRequest",
    "Consent",
    "DataExport",
    "Document",
    "DoubleAnswer",
    "ErasureRequest",
    "FieldSource",
    "FirmTransfer",
    "InvestmentAccount",
    "Investor",
    "InvestorCase",
    "InvestorTransfer",
    "Invite",
    "KycCheck",
    "KycRequest",
    "Mandate",
    "Merge",
    "NameWord",
    "Nominee",
    "Owned",
    "PossibleDouble",
    "TaxResidence",
    "Transfer",
]
