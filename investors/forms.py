"""Forms of onboarding: shape and rules of input, one form per step. They read and write no rows.

Each form says how its step looks when it is opened again (`initial_of`). Dates are one field: the browser's own picker,
or `31/12/1990` typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Self

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict, ErrorList
from django.urls import reverse_lazy

from investors import rules
from investors.declarations import Declaration
from investors.models import BankAccount, Investor
from investors.steps import Profile
from portal import clock, identifiers, money

DATE_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y"]
YES_NO = [("yes", "Yes"), ("no", "No")]
RELATIONSHIPS = ["Spouse", "Son", "Daughter", "Father", "Mother", "Brother", "Sister", "Grandson", "Granddaughter"]
GUARDIANS = ["Father", "Mother", "Grandfather", "Grandmother", "Court-appointed"]


def cleaned_by(rule: Callable[[str], Any], value: str) -> Any:
    """The rule's value. Its ValueError becomes the field's error."""
    try:
        return rule(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class RuledField(forms.CharField):
    """Text that a rule cleans."""

    def __init__(self, *, rule: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule = rule

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return cleaned_by(self.rule, text) if text else text


def _date_field(label: str, *, required: bool = True, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        input_formats=DATE_FORMATS,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "Write the date as day/month/year, for example 31/12/1990."},
    )


def _looks_up(kind: str, target: str) -> dict[str, Any]:
    """What makes a field show, while it is typed, what its code stands for."""
    return {
        "hx-get": reverse_lazy("investors:look_up", args=[kind]),
        "hx-trigger": "input changed delay:400ms",
        "hx-target": f"#{target}",
        "hx-swap": "outerHTML",
        "hx-include": "this",
    }


def _yes_no(label: str, help_text: str = "") -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        help_text=help_text,
        choices=YES_NO,
        widget=forms.RadioSelect,
        coerce=lambda answer: answer == "yes",
        empty_value=None,
    )


def as_yes_no(answer: bool | None) -> str:
    """How a stored answer stands in a yes/no field."""
    return "" if answer is None else "yes" if answer else "no"


def countries() -> list[tuple[str, str]]:
    """ISO 3166 codes with English names, India first."""
    names = Locale("en").territories
    real = {code: name for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY}
    return [("IN", real.pop("IN")), *sorted(real.items(), key=lambda pair: pair[1])]


_NO_COUNTRY = frozenset(["EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "DG", "EA", "IC", "TA", "CQ"])


class StepForm(forms.Form):
    """Base of every step's form."""

    @classmethod
    def opened(cls, profile: Profile, data: Any = None) -> Self:
        """The form as it opens for this application, with what was sent."""
        return cls(data, initial=cls.initial_of(profile))

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        """What stands in the form when the step is opened again."""
        return {name: getattr(profile.investor, name) for name in cls.base_fields}

    def show_refused(self, complaints: Mapping[str, list[str]]) -> None:
        """Show at the fields of a form that nobody has sent yet what was refused in it earlier."""
        shown = ErrorDict()
        for name, texts in complaints.items():
            shown[name if name in self.fields else "__all__"] = ErrorList(texts, renderer=self.renderer)
        self._errors = shown


class PanForm(StepForm):
    """The PAN of a person."""

    pan = RuledField(
        label="PAN",
        rule=identifiers.clean_individual_pan,
        max_length=20,
        help_text="Ten characters, as on your PAN card: ABCPE1234F.",
        widget=forms.TextInput(
            attrs={"class": "upper", "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        return {}


class PersonalForm(StepForm):
    """Who the investor is."""

    name = RuledField(
        label="Name, exactly as on your PAN card",
        rule=rules.clean_name,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    date_of_birth = _date_field("Date of birth", help_text="As on your PAN card.")
    gender = forms.ChoiceField(label="Gender", choices=Investor.Gender.choices, widget=forms.RadioSelect)
    marital_status = forms.ChoiceField(
        label="Marital status", choices=Investor.MaritalStatus.choices, widget=forms.RadioSelect
    )
    occupation = forms.ChoiceField(label="Occupation", choices=[("", "Choose one"), *Investor.Occupation.choices])
    mobile = RuledField(
        label="Mobile number",
        rule=identifiers.clean_mobile,
        max_length=20,
        help_text="Your own number in India. Fund houses use it for messages about your units.",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel-national"}),
    )

    def clean_date_of_birth(self) -> date:
        """Old enough to invest in one's own name."""
        born_on: date = self.cleaned_data["date_of_birth"]
        cleaned_by(lambda _: rules.check_adult(born_on, clock.today()), "")
        return born_on


NOT_ONLY_INDIA = (
    "We cannot register people who pay tax in another country online yet: fund houses need tax numbers and papers that "
    "this portal does not take. Please write to us; we will tell you how it works on paper."
)


class FatcaForm(StepForm):
    """What the Income-tax Rules (114F to 114H) ask of every investor."""

    tax_resident_only_in_india = _yes_no(
        "Is India the only country where you are a tax resident?",
        "Citizens and green-card holders of the USA are tax residents there too.",
    )
    country_of_birth = forms.ChoiceField(label="Country of birth", choices=countries)
    source_of_wealth = forms.ChoiceField(
        label="Where the money you invest mainly comes from",
        choices=[("", "Choose one"), *Investor.SourceOfWealth.choices],
    )
    gross_annual_income = RuledField(
        label="Your income in a year, before tax, in rupees",
        rule=rules.clean_rupees,
        max_length=30,
        help_text="About right is enough. For example 12,00,000.",
        widget=forms.TextInput(attrs={"class": "input-money", "inputmode": "numeric", "autocomplete": "off"}),
    )
    is_politically_exposed = _yes_no(
        "Are you a politically exposed person?",
        "Somebody with a high public office: a minister, a senior judge or officer, a leader of a party.",
    )
    is_related_to_politically_exposed = _yes_no("Are you a close relative or associate of one?")

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        income = profile.investor.gross_annual_income
        asked = ("tax_resident_only_in_india", "is_politically_exposed", "is_related_to_politically_exposed")
        answers = {name: as_yes_no(getattr(profile.investor, name)) for name in asked}
        return {
            **super().initial_of(profile),
            **answers,
            "gross_annual_income": money.group(str(income)) if income else "",
        }

    def clean_tax_resident_only_in_india(self) -> bool:
        """Only residents of India and of nowhere else can be registered here."""
        if not self.cleaned_data["tax_resident_only_in_india"]:
            raise ValidationError(NOT_ONLY_INDIA)
        return True


class AddressForm(StepForm):
    """Where the investor lives; city and state come from the PIN code."""

    line1 = RuledField(
        label="Flat, house, building",
        rule=rules.clean_line,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )
    line2 = RuledField(
        label="Street, area",
        rule=rules.clean_line,
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2"}),
    )
    line3 = RuledField(
        label="Landmark",
        rule=rules.clean_line,
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line3"}),
    )
    pincode = RuledField(
        label="PIN code",
        rule=identifiers.clean_pin,
        max_length=10,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "postal-code", **_looks_up("pincode", "place")}
        ),
    )

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        return {name: getattr(profile.address, name) for name in cls.base_fields} if profile.address else {}


NAME, OPT_OUT = "name", "opt_out"
NOMINEE_FIELDS = ("name", "relationship", "date_of_birth", "share", "guardian_name", "guardian_relationship")


class NomineesForm(StepForm):
    """One to three nominees whose shares make 100, or nobody. Each nominee has fields `n1_…`, `n2_…`, `n3_…`."""

    choice = forms.ChoiceField(
        label="Would you like to name a nominee?",
        choices=[(NAME, "Yes, name one to three people"), (OPT_OUT, "No, I do not want a nominee")],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for position in range(1, rules.MAX_NOMINEES + 1):
            self.fields.update(_nominee_fields(position))
            for name in ("name", "relationship", "date_of_birth", "share"):
                self.fields[f"n{position}_{name}"].required = self._is_named(position)

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        opted = profile.investor.nomination_opted_out
        initial: dict[str, Any] = {"choice": "" if opted is None else OPT_OUT if opted else NAME}
        for nominee in profile.nominees:
            initial |= {f"n{nominee.position}_{name}": getattr(nominee, name) for name in NOMINEE_FIELDS}
        return initial

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The bound fields, nominee by nominee, for the page; `filled` keeps its part of the page open."""
        found = []
        for position in range(1, rules.MAX_NOMINEES + 1):
            fields = [self[f"n{position}_{name}"] for name in NOMINEE_FIELDS]
            filled = any(field.value() or field.errors for field in fields)
            found.append({"position": position, "fields": fields, "filled": filled or position == 1})
        return found

    def clean(self) -> dict[str, Any]:
        """Everybody who is named is named completely, and the shares make 100."""
        data = super().clean() or {}
        if data.get("choice") == OPT_OUT:
            # What stands in the fields of nominees then does not count, and cannot be wrong.
            for name in [name for name in self.errors if name in self.fields]:
                del self.errors[name]
        if data.get("choice") == NAME:
            data["nominees"] = [self._nominee(n) for n in range(1, rules.MAX_NOMINEES + 1) if self._is_named(n)]
            self._check_shares([person.get("share") for person in data["nominees"]])
        return data

    def _is_named(self, position: int) -> bool:
        if self.is_bound and self.data.get("choice") != NAME:
            return False
        typed = [self.data.get(self.add_prefix(f"n{position}_{name}"), "") for name in NOMINEE_FIELDS]
        return position == 1 or any(str(text).strip() for text in typed)

    def _nominee(self, position: int) -> dict[str, Any]:
        person = {name: self.cleaned_data.get(f"n{position}_{name}") for name in NOMINEE_FIELDS}
        needed: list[str] = []
        born_on = person["date_of_birth"]
        if born_on and born_on > clock.today():
            self.add_error(f"n{position}_date_of_birth", "This date is in the future.")
        elif born_on and rules.is_minor(born_on, clock.today()):
            needed += ["guardian_name", "guardian_relationship"]
        elif born_on:
            person["guardian_name"] = person["guardian_relationship"] = ""
        for name in needed:
            field = f"n{position}_{name}"
            if not person[name] and field not in self.errors:
                self.fields[field].required = True  # the page must not call it optional now
                self.add_error(field, _MISSING[name])
        return {name: "" if value is None else value for name, value in person.items()}

    def _check_shares(self, shares: list[Any]) -> None:
        if self.errors or not all(isinstance(share, int) for share in shares):
            return
        try:
            rules.check_shares(shares)
        except ValueError as error:
            self.add_error(f"n{len(shares)}_share", str(error))

    @property
    def values(self) -> dict[str, Any]:
        """What the step saves."""
        return {
            "opted_out": self.cleaned_data["choice"] == OPT_OUT,
            "nominees": self.cleaned_data.get("nominees", []),
        }


_MISSING = {
    "guardian_name": "This nominee is under 18: name a guardian who is an adult.",
    "guardian_relationship": "Say how the guardian is related to the nominee.",
}


def _nominee_fields(position: int) -> dict[str, forms.Field]:
    def text(label: str, rule: Callable[[str], Any], help_text: str = "") -> RuledField:
        widget = forms.TextInput(attrs={"autocomplete": "off"})
        return RuledField(label=label, rule=rule, required=False, max_length=200, help_text=help_text, widget=widget)

    def short_name(value: str) -> str:
        return rules.clean_name(value, longest=rules.NOMINEE_LENGTH)

    fields: dict[str, forms.Field] = {
        "name": text("Nominee's name", short_name),
        "relationship": _choice("This person is your", RELATIONSHIPS),
        "date_of_birth": _date_field("Date of birth", required=False),
        "share": forms.IntegerField(
            label="Share in percent",
            required=False,
            min_value=1,
            max_value=100,
            initial=100 if position == 1 else None,
            widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        ),
        "guardian_name": text("Guardian's name", short_name, "Only when the nominee is under 18."),
        "guardian_relationship": _choice("The guardian is the nominee's", GUARDIANS),
    }
    return {f"n{position}_{name}": field for name, field in fields.items()}


def _choice(label: str, words: list[str]) -> forms.ChoiceField:
    choices = [("", "Choose one"), *((word, word) for word in [*words, "Other"])]
    return forms.ChoiceField(label=label, choices=choices, required=False)


class BankForm(StepForm):
    """The investor's own bank account. A saved number is kept when both number fields stay empty."""

    ifsc = RuledField(
        label="IFSC",
        rule=identifiers.clean_ifsc,
        max_length=20,
        help_text="Eleven characters: on your cheque book, and in your bank's app.",
        widget=forms.TextInput(
            attrs={
                "class": "upper",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                **_looks_up("ifsc", "branch"),
            }
        ),
    )
    number = RuledField(
        label="Account number",
        rule=rules.clean_account_number,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    number_again = RuledField(
        label="Account number, once more",
        rule=rules.clean_account_number,
        max_length=40,
        help_text="Typed twice, so that your money cannot go to a mistyped account.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label="Account type", choices=BankAccount.Kind.choices, widget=forms.RadioSelect)
    holder_name = RuledField(
        label="Account holder's name, as the bank has it",
        rule=rules.clean_name,
        max_length=200,
        help_text="It must be your own account. Payments from somebody else's account are sent back.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, saved_end: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if saved_end:
            for name in ("number", "number_again"):
                self.fields[name].required = False
            self.fields["number"].help_text = f"We have an account ending in {saved_end}. Leave empty to keep it."

    @classmethod
    def opened(cls, profile: Profile, data: Any = None) -> Self:
        """With the number of a saved account left out."""
        return cls(data, initial=cls.initial_of(profile), saved_end=profile.bank.last_four if profile.bank else "")

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        if profile.bank is None:
            return {"holder_name": profile.investor.name, "kind": BankAccount.Kind.SAVINGS}
        return {name: getattr(profile.bank, name) for name in ("ifsc", "kind", "holder_name")}

    def clean(self) -> dict[str, Any]:
        """Both numbers are the same."""
        data = super().clean() or {}
        both = (data.get("number"), data.get("number_again"))
        if not {"number", "number_again"} & set(self.errors) and both[0] != both[1]:
            self.add_error("number_again", "The two account numbers differ. Please compare them with your passbook.")
        return data


class ReviewForm(forms.Form):
    """One box per declaration."""

    def __init__(self, *args: Any, texts: tuple[Declaration, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in texts:
            self.fields[each.slug] = forms.BooleanField(
                label=each.text, error_messages={"required": "Please read this and tick it."}
            )

    @property
    def agreed(self) -> set[str]:
        """The slugs of what was ticked."""
        return {name for name in self.fields if self.cleaned_data.get(name)}
