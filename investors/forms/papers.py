"""A signature and a cancelled cheque. Fund houses may ask for them; the exchange opens no account without them."""

from __future__ import annotations

from typing import Any, Self

from investors import refusals, steps
from investors.forms.kyc_request import NO_FILE, FilesForm
from investors.kyc_steps import KycStep
from investors.models import Document
from investors.steps import Profile
from portal.files import quarantine

Kind = Document.Kind
KINDS = (Kind.SIGNATURE, Kind.CANCELLED_CHEQUE)
PAPERS = KycStep(steps.PAPERS, "", "", (), files=KINDS, accepts=quarantine.PAPERS)


class PapersForm(FilesForm):
    """The two files of FP's application; a field that stays empty keeps what is there, unless FP refused just that."""

    @classmethod
    def opened(cls, profile: Profile, data: Any = None, files: Any = None) -> Self:
        """With whatever must come now: what FP refused, and with the exchange what is not there."""
        refused = set(refusals.by_field(profile.investor.refusal, steps.PAPERS))
        enough = set(KINDS) if steps.papers_are_optional() else steps.papers_of(profile)
        return cls(data, files, step=PAPERS, good=enough - refused)

    def clean(self) -> dict[str, Any]:
        """What must come has come."""
        data = super().clean()
        for kind in KINDS:
            if self.fields[kind].required and not data.get(kind) and kind not in self.errors:
                self.add_error(kind, NO_FILE)
        return data

    @property
    def refused(self) -> dict[str, str]:
        """What was wrong with a file: kept with what was typed, because a browser cannot be given back a file."""
        return {name: str(self.errors[name][0]) for name in KINDS if name in self.errors}

    @property
    def values(self) -> dict[str, Any]:
        """Kind -> harmless file."""
        return dict(self.clean_files)
