"""Rupees, units and NAV: Decimal only, rounded by name, written the Indian way.

Rupees have 2 decimals, units 3, NAV 4 (AMFI publishes NAV to 4, registrars allot units to 3).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

PAISE = Decimal("0.01")
UNIT = Decimal("0.001")
NAV_STEP = Decimal("0.0001")
ZERO = Decimal("0")
MINUS = "\u2212"
_STEPS = tuple(Decimal(1).scaleb(-places) for places in range(7))


def to_paise(amount: Decimal) -> Decimal:
    """Rupees rounded half up to the paisa."""
    return amount.quantize(PAISE, rounding=ROUND_HALF_UP)


def to_units(units: Decimal) -> Decimal:
    """Units rounded half up to the thousandth."""
    return units.quantize(UNIT, rounding=ROUND_HALF_UP)


def to_nav(nav: Decimal) -> Decimal:
    """NAV rounded half up to the ten-thousandth of a rupee."""
    return nav.quantize(NAV_STEP, rounding=ROUND_HALF_UP)


def group(digits: str) -> str:
    """Indian grouping of a run of digits: `1234567` -> `12,34,567`."""
    if len(digits) <= 3:
        return digits
    if len(digits) <= 5:  # most figures: the long way is for lakhs
        return f"{digits[:-3]},{digits[-3:]}"
    head, tail = digits[:-3], digits[-3:]
    pairs: list[str] = []
    while head:
        pairs.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*pairs, tail])


def number(value: Decimal, places: int) -> str:
    """`value` rounded half up to `places`, in Indian grouping, with a real minus sign."""
    # A quantized Decimal of at most six places is never written with an exponent, and str() is the quick way.
    text, sign = str(value.quantize(_STEPS[places], ROUND_HALF_UP)), ""
    if text[0] == "-":
        text = text[1:]
        sign = MINUS if text.strip("0.") else ""
    whole = len(text) - places - 1 if places else len(text)
    return sign + text if whole <= 3 else f"{sign}{group(text[:whole])}{text[whole:]}"


def sign_of(text: str) -> int:
    """-1, 0 or 1: how an amount or a number reads that stands here as text, after rounding."""
    return -1 if text[0] == MINUS else 1 if text.strip("₹0.,") else 0


def rupees(amount: Decimal) -> str:
    """`₹1,23,456.78`; a negative amount as `−₹1,23,456.78`."""
    text = number(amount, 2)
    return f"{MINUS}₹{text[1:]}" if text.startswith(MINUS) else f"₹{text}"


def rupees_short(amount: Decimal) -> str:
    """The compact form for tiles and charts: `₹12.4 L`, `₹1.2 Cr`, `₹5,877`; with paise only below ten rupees.

    A small gain must not read as none: forty paise are `₹0.40`.
    """
    if abs(amount) < 10 and to_paise(amount) % 1:
        return rupees(amount)
    sizes = ((Decimal(10_000_000), "Cr"), (Decimal(100_000), "L"), (Decimal(0), ""))
    size, word = next(each for each in sizes if abs(amount) >= each[0])
    text = number(amount / size, 1) if word else number(amount, 0)
    sign, digits = (MINUS, text[1:]) if text.startswith(MINUS) else ("", text)
    return f"{sign}₹{digits} {word}".rstrip()


def signed_rupees(amount: Decimal) -> str:
    """With an explicit sign, for gains: `+₹120.00`, `−₹3.50`, `₹0.00`."""
    text = rupees(amount)
    return f"+{text}" if sign_of(text) > 0 else text


def signed_percent(value: Decimal) -> str:
    """A percentage with sign and two decimals: `+12.40%`."""
    text = number(value, 2)
    return f"+{text}%" if sign_of(text) > 0 else f"{text}%"
