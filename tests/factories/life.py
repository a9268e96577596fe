"""What came with the whole of an investor's life: KYC requests, documents, mandates, changes, invites."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from investors.models import (
    CaseMessage,
    ChangeRequest,
    DataExport,
    Document,
    ErasureRequest,
    FieldSource,
    InvestorCase,
    Invite,
    KycRequest,
    Mandate,
    TaxResidence,
    Transfer,
)
from portal import clock, identifiers
from portal.models import Case
from tests.factories.people import BankAccountFactory, InvestorFactory, PartnerFactory, UserFactory


class KycRequestFactory(DjangoModelFactory):
    """A fresh KYC that is being filled in."""

    class Meta:
        model = KycRequest

    investor = factory.SubFactory(InvestorFactory)
    state = KycRequest.State.DRAFT
    answers = json.dumps({"father_name": "Mahesh"})
    provider_ref = factory.LazyAttributeSequence(lambda o, n: None if o.state == "DRAFT" else f"kyc-{n}")
    created_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("created_at")
    submitted_at = None
    approved_at = factory.SelfAttribute("submitted_at")


class DocumentFactory(DjangoModelFactory):
    """A photo in the vault. Nothing lies behind `vault_name` unless a test puts it there."""

    class Meta:
        model = Document

    investor = factory.SubFactory(InvestorFactory)
    kind = Document.Kind.PHOTO
    vault_name = factory.Sequence(lambda n: f"ab/{n:040x}")
    sha256 = "0" * 64
    media_type = "image/jpeg"
    byte_size = 1_000
    sent_by = factory.SelfAttribute("investor.user")
    created_at = factory.LazyFunction(clock.now)


class MandateFactory(DjangoModelFactory):
    """An approved e-mandate on the investor's own account."""

    class Meta:
        model = Mandate

    bank_account = factory.SubFactory(BankAccountFactory)
    investor = factory.SelfAttribute("bank_account.investor")
    form_ref = factory.LazyFunction(identifiers.new_client_ref)
    kind = Mandate.Kind.E_MANDATE
    state = Mandate.State.APPROVED
    limit = Decimal("25000.00")
    valid_from = factory.LazyAttribute(lambda o: o.created_at.date())
    provider_ref = factory.Sequence(lambda n: f"{7_000_000 + n}")
    created_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("created_at")


class ChangeRequestFactory(DjangoModelFactory):
    """A new mobile number that waits for its code."""

    class Meta:
        model = ChangeRequest

    investor = factory.SubFactory(InvestorFactory)
    form_ref = factory.LazyFunction(identifiers.new_client_ref)
    what = ChangeRequest.What.MOBILE
    before = json.dumps({"mobile": "9000000001"})
    after = json.dumps({"mobile": "9000000002"})
    asked_by = factory.SelfAttribute("investor.user")
    created_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("created_at")


class DataExportFactory(DjangoModelFactory):
    """A copy that lies ready. Nothing lies behind `vault_name` unless a test puts it there."""

    class Meta:
        model = DataExport

    investor = factory.SubFactory(InvestorFactory)
    consent = factory.SubFactory(
        "tests.factories.money.ConsentFactory", investor=factory.SelfAttribute("..investor"), purpose="CHANGE"
    )
    state = DataExport.State.MADE
    vault_name = factory.Sequence(lambda n: f"cd/{n:040x}")
    asked_at = factory.LazyFunction(clock.now)
    made_at = state_since = factory.SelfAttribute("asked_at")


class ErasureRequestFactory(DjangoModelFactory):
    """A wish to be forgotten that is held."""

    class Meta:
        model = ErasureRequest

    investor = factory.SubFactory(InvestorFactory)
    consent = factory.SubFactory(
        "tests.factories.money.ConsentFactory", investor=factory.SelfAttribute("..investor"), purpose="CHANGE"
    )
    asked_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("asked_at")


class TransferFactory(DjangoModelFactory):
    """A move to another partner, with time for objections."""

    class Meta:
        model = Transfer

    investor = factory.SubFactory(InvestorFactory)
    from_partner = factory.SelfAttribute("investor.partner")
    to_partner = factory.SubFactory(PartnerFactory)
    from_name = factory.LazyAttribute(lambda o: o.from_partner.name if o.from_partner else "our own desk")
    to_name = factory.SelfAttribute("to_partner.name")
    basis = "Letter of 20 November 2026"
    asked_by = factory.SubFactory(UserFactory)
    asked_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("asked_at")
    objections_until = factory.LazyAttribute(lambda o: o.asked_at + timedelta(days=15))
    due_at = factory.SelfAttribute("objections_until")


class InviteFactory(DjangoModelFactory):
    """A link that was sent and not used yet."""

    class Meta:
        model = Invite

    email = factory.Sequence(lambda n: f"invited{n}@example.com")
    secret_hash = factory.Sequence(lambda n: f"{n:064x}")
    invited_by = factory.SubFactory(UserFactory)
    created_at = factory.LazyFunction(clock.now)
    expires_at = factory.LazyAttribute(lambda o: o.created_at + timedelta(days=7))


class TaxResidenceFactory(DjangoModelFactory):
    """A second country where tax is paid."""

    class Meta:
        model = TaxResidence

    investor = factory.SubFactory(InvestorFactory)
    position = 1
    country = "GB"
    tax_id_kind = "TIN"
    tax_id = "1234567890"


class FieldSourceFactory(DjangoModelFactory):
    """A value that somebody else entered."""

    class Meta:
        model = FieldSource

    investor = factory.SubFactory(InvestorFactory)
    field = "occupation"
    source = FieldSource.Source.STAFF
    at = factory.LazyFunction(clock.now)


class InvestorCaseFactory(DjangoModelFactory):
    """A case that its investor sees."""

    class Meta:
        model = InvestorCase

    investor = factory.SubFactory(InvestorFactory)
    code = factory.Sequence(lambda n: f"CASESEEN{n}")
    kind = "money_not_moving"
    subject_kind = "orders.mforder"
    subject_id = factory.Sequence(str)
    what = "₹73,519.00 in Unmistakable Flexi Cap Fund"
    url = "/orders/"
    opened_at = factory.LazyFunction(clock.now)
    case = factory.LazyAttribute(
        lambda o: Case.objects.create(
            code=o.code, kind=o.kind, subject_kind=o.subject_kind, subject_id=o.subject_id, title="A case",
            opened_at=o.opened_at, reported_at=o.opened_at,
        )
    )  # fmt: skip


class CaseMessageFactory(DjangoModelFactory):
    """What an investor wrote about a case."""

    class Meta:
        model = CaseMessage

    shown = factory.SubFactory(InvestorCaseFactory)
    investor = factory.SelfAttribute("shown.investor")
    author = factory.SelfAttribute("investor.user")
    by_staff = False
    text = "Where is my 73,519?"
    at = factory.LazyFunction(clock.now)
    form_ref = factory.LazyFunction(identifiers.new_client_ref)
