"""KYC requests: a fresh KYC, whole or step by step (document, "KYC Requests")."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from portal import clock
from portal.fintech_primitives.messages.base import (
    Ask,
    Day,
    Filled,
    Flag,
    Identifier,
    IndividualPan,
    MaybeText,
    Message,
    Moment,
    Private,
    Said,
    Word,
)

# --- what FP says -----------------------------------------------------------------------------------------


class KycStatus(Word):
    """`verification.status`: pending lacks fields, submitted is with the fund house, the others are final."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    SUCCESSFUL = "successful"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class VerificationCode(Word):
    """What is wrong with a field."""

    DATA_MISMATCH = "data_mismatch"
    DOCUMENT_INVALID = "document_invalid"
    DOCUMENT_UNCLEAR = "document_unclear"
    DATA_MISSING = "data_missing"
    UNKNOWN = "unknown"


class KycMobile(Message):
    """A mobile number in two parts."""

    isd: str = ""
    number: str = Field("", repr=False)


class KycAddress(Message):
    """An address with its proof; the proofs are file ids."""

    line_1: Private = None
    line_2: Private = None
    line_3: Private = None
    city: MaybeText = None
    pincode: MaybeText = None
    country: MaybeText = None
    proof: MaybeText = None
    proof_back: MaybeText = None
    proof_type: MaybeText = None
    proof_number: Private = None
    proof_issue_date: Day | None = None
    proof_expiry_date: Day | None = None


class Complaint(Message):
    """Why one field was not accepted; several reasons are parted by semicolons."""

    code: VerificationCode = VerificationCode.UNKNOWN
    reason: str = ""


class Verification(Message):
    """What became of a request, field by field."""

    status: KycStatus
    details: dict[str, VerificationCode] = Field(default_factory=dict)
    details_verbose: dict[str, Complaint] = Field(default_factory=dict)


class Requirements(Message):
    """Fields without which a request is not submitted."""

    fields_needed: list[str] = Field(default_factory=list)


class KycRequest(Message):
    """A fresh KYC on its way."""

    id: Identifier
    status: KycStatus
    verification: Verification | None = None
    requirements: Requirements | None = None
    pan: Private = None
    name: Private = None
    email: Private = None
    mobile: KycMobile | None = Field(None, repr=False)
    aadhaar_number: Private = None
    father_name: Private = None
    spouse_name: Private = None
    mother_name: Private = None
    gender: MaybeText = None
    date_of_birth: Day | None = Field(None, repr=False)
    marital_status: MaybeText = None
    country_of_birth: MaybeText = None
    residential_status: MaybeText = None
    occupation_type: MaybeText = None
    permanent_address_is_same_as_correspondence: Flag | None = None
    permanent_address: KycAddress | None = Field(None, repr=False)
    correspondence_address: KycAddress | None = Field(None, repr=False)
    identity_proof: MaybeText = None
    ipv_video: MaybeText = None
    signature: MaybeText = None
    photo: MaybeText = None
    otp: Private = None
    created_at: Moment | None = None
    expires_at: Moment | None = None


class KycRequests(Message):
    """All requests."""

    data: list[KycRequest]


# --- what we say ------------------------------------------------------------------------------------------


class KycGender(Word):
    """`gender` of a request: not the words of an investor."""

    MALE = "male"
    FEMALE = "female"
    TRANSGENDER = "transgender"
    UNKNOWN = "unknown"


class KycMaritalStatus(Word):
    """`marital_status` of a request."""

    MARRIED = "married"
    UNMARRIED = "unmarried"
    OTHERS = "others"
    UNKNOWN = "unknown"


class KycOccupation(Word):
    """`occupation_type` of a request."""

    BUSINESS = "business"
    PROFESSIONAL = "professional"
    SELF_EMPLOYED = "self_employed"
    RETIRED = "retired"
    HOUSEWIFE = "housewife"
    STUDENT = "student"
    PUBLIC_SECTOR = "public_sector"
    PRIVATE_SECTOR = "private_sector"
    GOVERNMENT_SECTOR = "government_sector"
    OTHERS = "others"
    UNKNOWN = "unknown"


class ProofType(Word):
    """What proves an address. Each of these has a back side."""

    PASSPORT = "passport"
    VOTER_ID = "voter_id"
    DRIVING_LICENCE = "driving_licence"
    UNKNOWN = "unknown"


DATED_PROOFS = (ProofType.PASSPORT, ProofType.DRIVING_LICENCE)


class NewKycMobile(Ask):
    """A mobile number in two parts."""

    isd: Annotated[str, Field(pattern=r"^\+?\d{1,4}$")]
    number: Annotated[str, Field(pattern=r"^\d{6,15}$")]


class NewKycAddress(Ask):
    """An address with its proof."""

    line_1: Filled
    line_2: Filled | None = None
    line_3: Filled | None = None
    city: Filled
    pincode: Annotated[str, Field(pattern=r"^[1-9]\d{5}$")]
    country: Annotated[str, Field(pattern=r"^[A-Za-z]{2}$")]
    proof: Identifier
    proof_back: Identifier
    proof_type: Said[ProofType]
    proof_number: Filled
    proof_issue_date: Day | None = None
    proof_expiry_date: Day | None = None

    @model_validator(mode="after")
    def _proof_is_valid(self) -> Self:
        if self.proof_type not in DATED_PROOFS:
            return self
        today = clock.today()
        if not (self.proof_issue_date and self.proof_issue_date < today):
            raise ValueError("proof_issue_date: mandatory and in the past for this proof")
        if not (self.proof_expiry_date and self.proof_expiry_date > today):
            raise ValueError("proof_expiry_date: mandatory and in the future for this proof")
        return self


EMail = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class KycRequestChange(Ask):
    """What may be added to a request step by step, or said anew (document, "Update a kyc request"); files by id."""

    name: Filled | None = None
    pan: IndividualPan | None = None
    email: EMail | None = None
    date_of_birth: Day | None = None
    mobile: NewKycMobile | None = None
    aadhaar_number: Annotated[str, Field(pattern=r"^\d{4}$")] | None = None
    father_name: Filled | None = None
    spouse_name: Filled | None = None
    mother_name: Filled | None = None
    gender: Said[KycGender] | None = None
    country_of_birth: Annotated[str, Field(pattern=r"^[A-Za-z]{2}$")] | None = None
    marital_status: Said[KycMaritalStatus] | None = None
    residential_status: Annotated[str, Field(pattern="^resident_individual$")] | None = None
    occupation_type: Said[KycOccupation] | None = None
    correspondence_address: NewKycAddress | None = None
    permanent_address_is_same_as_correspondence: bool | None = None
    permanent_address: NewKycAddress | None = None
    identity_proof: Identifier | None = None
    ipv_video: Identifier | None = None
    signature: Identifier | None = None
    photo: Identifier | None = None

    @model_validator(mode="after")
    def _permanent_address(self) -> Self:
        if self.permanent_address_is_same_as_correspondence is False and self.permanent_address is None:
            raise ValueError("permanent_address: mandatory when it is not the correspondence address")
        return self


class NewKycRequest(KycRequestChange):
    """A request begins with these; the rest can follow."""

    name: Filled
    pan: IndividualPan
    email: EMail
    date_of_birth: Day
    mobile: NewKycMobile

    @model_validator(mode="after")
    def _somebody_s_child_or_spouse(self) -> Self:
        if not (self.father_name or self.spouse_name):
            raise ValueError("father_name or spouse_name: one is mandatory")
        return self
