"""References of ours and identifiers of the field: made, checked, and explained when they are wrong.

`code` is what a human reads out on the phone and what stands in URLs (opaque, not guessable);
`client_ref` is what a provider hears, saved before it is sent.
"""

from __future__ import annotations

import re
import secrets

from stdnum import isin as _isin
from stdnum.exceptions import ValidationError as _StdnumError
from stdnum.in_ import pan as _pan

# Crockford's alphabet without vowels and look-alikes, so that no code spells a word or is misread on the phone.
_ALPHABET = "0123456789BCDFGHJKMNPQRSTVWXYZ"
_IFSC = re.compile(r"[A-Z]{4}0[A-Z0-9]{6}")
_PIN = re.compile(r"[1-9][0-9]{5}")
_MOBILE = re.compile(r"[6-9][0-9]{9}")
EUIN = re.compile(r"\AE[0-9]{6}\Z")
ARN = re.compile(r"\AARN-[0-9]{1,6}\Z")
NO_ARN = "Enter the ARN as AMFI writes it, like ARN-12345."
NO_EUIN = "An EUIN is an E with six digits, like E123456."
# Every number of so many digits fits a bigint.
MOST_DIGITS = 18


def new_code(prefix: str) -> str:
    """A new public code such as `ORD-7K3F9QW2M4TX`: 12 characters, about 58 bits."""
    return prefix + "-" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def new_client_ref() -> str:
    """A new reference for a provider: 20 characters of digits and upper-case letters, unique for all time."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def short_ref(length: int) -> str:
    """A reference by chance for a provider that takes few characters; whoever hands it out asks a unique key."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def row_key(text: str) -> int | None:
    """The key of a row as an address carries it (a page that goes on "before" it); None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def clean_pan(text: str) -> str:
    """A PAN in upper case. Raises ValueError with words a person can act on.

    Format: five letters, four digits, a letter; the fourth names the kind of holder (Income-tax Rules, rule 114).
    """
    value = re.sub(r"[\s-]", "", text).upper()
    try:
        return str(_pan.validate(value))
    except _StdnumError:
        raise ValueError("A PAN has ten characters: five letters, four digits and a letter, like ABCPE1234F.") from None


def clean_euin(text: str) -> str:
    """AMFI's number of an employee who advises. Raises ValueError."""
    euin = text.strip().upper()
    if not EUIN.fullmatch(euin):
        raise ValueError(NO_EUIN)
    return euin


def clean_arn(text: str) -> str:
    """AMFI's number of a distributor, as `ARN-12345`. Raises ValueError."""
    arn = text.strip().upper()
    if not ARN.fullmatch(arn):
        raise ValueError(NO_ARN)
    return arn


def clean_individual_pan(text: str) -> str:
    """A PAN of a person (fourth letter P). Raises ValueError."""
    value = clean_pan(text)
    if value[3] != "P":
        raise ValueError("This PAN belongs to a company or a firm. Only a person's PAN can be used here.")
    return value


def clean_ifsc(text: str) -> str:
    """An IFSC in upper case (RBI: four letters of the bank, a zero, six of the branch). Raises ValueError."""
    value = re.sub(r"\s", "", text).upper()
    if not _IFSC.fullmatch(value):
        raise ValueError("An IFSC has eleven characters and its fifth is a zero, like HDFC0000001.")
    return value


def clean_pin(text: str) -> str:
    """A six-digit PIN code of India Post. Raises ValueError."""
    value = re.sub(r"\s", "", text)
    if not _PIN.fullmatch(value):
        raise ValueError("A PIN code has six digits and does not begin with zero.")
    return value


def clean_mobile(text: str) -> str:
    """Ten digits of an Indian mobile number, without +91. Raises ValueError."""
    value = re.sub(r"[\s-]", "", text)
    value = re.sub(r"^(\+91|0091|91(?=\d{10}$)|0(?=\d{10}$))", "", value)
    if not _MOBILE.fullmatch(value):
        raise ValueError("An Indian mobile number has ten digits and begins with 6, 7, 8 or 9.")
    return value


def is_isin(text: str) -> bool:
    """Whether `text` is a well-formed ISIN with a right check digit (ISO 6166)."""
    return bool(_isin.is_valid(text))
