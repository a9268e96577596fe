"""A signature and a cancelled cheque, which fund houses may ask for: no order that is placed here needs them."""

from __future__ import annotations

from typing import Any, Self

from investors import steps
from investors.forms.kyc_request import FilesForm
from investors.kyc_steps import KycStep
from investors.models import Document
from investors.steps import Profile
from portal.files import quarantine

Kind = Document.Kind
KINDS = (Kind.SIGNATURE, Kind.CANCELLED_CHEQUE)
PAPERS = KycStep(steps.PAPERS, "", "", (), files=KINDS, accepts=quarantine.PAPERS)


class PapersForm(FilesForm):
    """The two files of FP's application; a field that stays empty keeps what is there."""

    @classmethod
    def opened(cls, profile: Profile, data: Any = None, files: Any = None) -> Self:
        """Nothing in it is required."""
        return cls(data, files, step=PAPERS, good=KINDS)

    @property
    def refused(self) -> dict[str, str]:
        """What was wrong with a file: kept with what was typed, because a browser cannot be given back a file."""
        return {name: str(self.errors[name][0]) for name in KINDS if name in self.errors}

    @property
    def values(self) -> dict[str, Any]:
        """Kind -> harmless file."""
        return dict(self.clean_files)
