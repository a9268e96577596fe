"""Forms of onboarding: shape and rules of input, one form per step. They read and write no rows.

Each form says how its step looks when it is opened again (`initial_of`). Dates are one field: the browser's own picker,
or `31/12/1990` typed.
"""

from investors.forms.address import AddressForm
from investors.forms.bank import BankForm
from investors.forms.fatca import FatcaForm
from investors.forms.fields import StepForm, countries
from investors.forms.nominees import NomineesForm
from investors.forms.papers import PapersForm
from investors.forms.person import GuardianForm, PanForm, PersonalForm
from investors.forms.review import ReviewForm

__all__ = [
    "AddressForm",
    "BankForm",
    "FatcaForm",
    "GuardianForm",
    "NomineesForm",
    "PanForm",
    "PapersForm",
    "PersonalForm",
    "ReviewForm",
    "StepForm",
    "countries",
]
