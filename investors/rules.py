"""What may stand in an application: pure rules about texts, ages and shares. ValueError says why.

Lengths are those of the strictest order gateway (FP's documentation of the BSE gateway: name 70, nominee
and guardian 35, relationship 20, address line 40, account number 16), so that an application fits
wherever an order may go.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

ADULT_AGE = 18
MAX_TAX_RESIDENCES = 3
OLDEST_AGE = 120
MAX_NOMINEES = 3
NAME_LENGTH = 70
NOMINEE_LENGTH = 35
RELATIONSHIP_LENGTH = 20
LINE_LENGTH = 40
# By order gateway. Not for all of them: an address cannot be shortened as a name can, only exchanged for another one.
EMAIL_LENGTHS = {"BSE": 50}
# Registrars keep Latin letters only; the PAN card is printed in them as well.
_NAME = re.compile(r"[A-Za-z][A-Za-z .'\-]*")
_LINE_OTHERS = re.compile(r"[^A-Za-z0-9 ,./#\-()'&:;+]")
_ACCOUNT = re.compile(r"[0-9]{6,16}")
# What word processors and phones put in place of plain characters.
_PLAIN = str.maketrans({"’": "'", "‘": "'", "`": "'", "–": "-", "—": "-", "\u00a0": " "})


def tidy(text: str) -> str:
    """One line without doubled spaces, with plain quotes and dashes, accents folded into their letters."""
    flat = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    folded = "".join(c for c in unicodedata.normalize("NFD", flat) if not unicodedata.combining(c))
    return " ".join(folded.split())


def clean_name(text: str, *, longest: int = NAME_LENGTH) -> str:
    """A person's name in the letters that registrars keep. Raises ValueError."""
    name = tidy(text)
    if not _NAME.fullmatch(name):
        raise ValueError("Write the name in English letters, as on the PAN card. Full stops and hyphens are fine.")
    if len(name) > longest:
        raise ValueError(f"Fund houses keep {longest} letters at most. Please shorten a middle name.")
    return name


def clean_line(text: str) -> str:
    """A line of an address. Raises ValueError that names what cannot be used."""
    line = tidy(text)
    strange = sorted(set(_LINE_OTHERS.findall(line)))
    if strange:
        shown = " ".join(c for c in strange if c.isprintable())[:20] or "a hidden character"
        raise ValueError(f"Only English letters, digits and , . / # - ( ) can be kept. Please leave out: {shown}")
    if len(line) > LINE_LENGTH:
        raise ValueError(f"At most {LINE_LENGTH} characters fit in one line. Use the next line for the rest.")
    return line


def clean_account_number(text: str) -> str:
    """A bank account number: 6 to 16 digits, leading zeros kept. Raises ValueError."""
    number = re.sub(r"[\s-]", "", text)
    if not _ACCOUNT.fullmatch(number):
        raise ValueError("An account number has 6 to 16 digits. Your passbook and your bank's app show it.")
    return number


def check_email(email: str, gateway: str) -> None:
    """Raises ValueError for an address that is longer than this order gateway keeps."""
    longest = EMAIL_LENGTHS.get(gateway)
    if longest and len(email) > longest:
        raise ValueError(
            f"The exchange through which your orders go keeps email addresses of at most {longest} characters. "
            f"This one has {len(email)}: please use a shorter one."
        )


def clean_isd(text: str) -> str:
    """The country code of a telephone number without + (ITU-T E.164: one to three digits). Raises ValueError."""
    code = re.sub(r"^(\+|00)", "", re.sub(r"[\s-]", "", text))
    if not re.fullmatch(r"[1-9][0-9]{0,2}", code):
        raise ValueError("A country code has one to three digits, like 91 for India or 971 for the Emirates.")
    return code


def clean_phone(text: str) -> str:
    """A telephone number of anywhere without its country code: 6 to 12 digits. Raises ValueError."""
    number = re.sub(r"[\s()./-]", "", text)
    if not re.fullmatch(r"[0-9]{6,12}", number):
        raise ValueError("Enter the number in digits, 6 to 12 of them, without the country code.")
    return number


def clean_postal_code(text: str) -> str:
    """A postal code outside India. Raises ValueError."""
    code = tidy(text).upper()
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9 -]{1,11}", code):
        raise ValueError("Enter the postal code in letters and digits. Where there is none, enter 000.")
    return code


def clean_tax_number(text: str) -> str:
    """A tax number of another country, as it stands on its papers. Raises ValueError."""
    number = tidy(text).upper()
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9 ./-]{2,29}", number):
        raise ValueError("Enter the number as it is printed: 3 to 30 letters and digits.")
    return number


def clean_place(text: str) -> str:
    """A city or a state. Raises ValueError."""
    place = tidy(text)
    if not re.fullmatch(r"[A-Za-z][A-Za-z .'()-]{0,34}", place):
        raise ValueError("Enter it in English letters, at most 35.")
    return place


def clean_rupees(text: str) -> int:
    """Whole rupees from what people type: `12,00,000`, `₹12 00 000.00`. Raises ValueError."""
    digits = re.sub(r"[\s,₹_]|\.0{1,2}$", "", text)
    if not re.fullmatch(r"[0-9]{1,12}", digits) or int(digits) == 0:
        raise ValueError("Enter whole rupees, for example 12,00,000.")
    return int(digits)


def age_on(born_on: date, on: date) -> int:
    """Completed years. Who is born on 29 February is a year older on 1 March."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def is_minor(born_on: date, on: date) -> bool:
    """Under eighteen (Majority Act 1875, section 3)."""
    return age_on(born_on, on) < ADULT_AGE


def is_possible_birthday(born_on: date, on: date) -> bool:
    """Not in the future, and not longer ago than anybody lives."""
    return born_on <= on and age_on(born_on, on) <= OLDEST_AGE


def check_adult(born_on: date, on: date) -> None:
    """Raises ValueError unless somebody born then may invest in their own name today."""
    if not is_possible_birthday(born_on, on):
        raise ValueError("This date of birth cannot be right. Please check the year.")
    if is_minor(born_on, on):
        raise ValueError("You must be 18 to invest in your own name. A parent can begin an application for you.")


def check_child(born_on: date, on: date) -> None:
    """Raises ValueError unless somebody born then is a minor today."""
    if not is_possible_birthday(born_on, on):
        raise ValueError("This date of birth cannot be right. Please check the year.")
    if not is_minor(born_on, on):
        raise ValueError("Somebody who is 18 invests in their own name, with a login of their own.")


def check_guardian(born_on: date, on: date) -> None:
    """Raises ValueError unless somebody born then may act for a minor."""
    if not is_possible_birthday(born_on, on):
        raise ValueError("This date of birth cannot be right. Please check the year.")
    if is_minor(born_on, on):
        raise ValueError("A guardian must be 18 or older.")


def comes_of_age_on(born_on: date) -> date:
    """The eighteenth birthday; of somebody born on 29 February, 1 March (as in `age_on`)."""
    try:
        return born_on.replace(year=born_on.year + ADULT_AGE)
    except ValueError:
        return date(born_on.year + ADULT_AGE, 3, 1)


def check_shares(shares: list[int]) -> None:
    """Raises ValueError unless the shares of one to three nominees make 100 percent."""
    total = sum(shares)
    if total != 100:
        raise ValueError(f"The shares add up to {total}%. They must make exactly 100%.")
