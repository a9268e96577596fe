"""The risk that is usual for a SEBI category. Not the fund's own risk-o-meter: that one prevails, and pages say so.

Fund houses publish a risk-o-meter per scheme every month (SEBI circulars of 5 Oct 2020 and 5 Nov 2024).
Neither FP's scheme master nor AMFI's NAV file carries it. Until a feed does, this table says where funds of a category
usually stand, from SEBI's scoring of asset classes (equity by market value, debt by credit quality and duration).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

Level = Literal["Low", "Low to Moderate", "Moderate", "Moderately High", "High", "Very High"]

# When this table was written. It follows from SEBI's scoring; it is no survey of published risk-o-meters.
AS_OF = date(2026, 11, 21)
NOTE = "Usual for the category; the fund house's own risk-o-meter prevails."

_BY_LEVEL: dict[Level, tuple[str, ...]] = {
    "Low": ("Overnight Fund",),
    "Low to Moderate": (
        "Liquid Fund",
        "Money Market Fund",
        "Ultra Short Duration Fund",
        "Low Duration Fund",
        "Arbitrage Fund",
    ),
    "Moderate": (
        "Short Duration Fund",
        "Corporate Bond Fund",
        "Banking and PSU Fund",
        "Floater Fund",
        "Gilt Fund",
        "Gilt Fund with 10 year constant duration",
        "Dynamic Bond",
        "Medium Duration Fund",
        "Medium to Long Duration Fund",
        "Long Duration Fund",
    ),
    "Moderately High": ("Credit Risk Fund", "Conservative Hybrid Fund", "Equity Savings"),
    "High": ("Gold ETF",),
    "Very High": (
        "Large Cap Fund",
        "Large & Mid Cap Fund",
        "Mid Cap Fund",
        "Small Cap Fund",
        "Multi Cap Fund",
        "Flexi Cap Fund",
        "Focused Fund",
        "Value Fund",
        "Contra Fund",
        "Dividend Yield Fund",
        "Sectoral/ Thematic",
        "ELSS",
        "Aggressive Hybrid Fund",
        "Balanced Hybrid Fund",
        "Dynamic Asset Allocation or Balanced Advantage",
        "Multi Asset Allocation",
        "Children's Fund",
        "Retirement Fund",
        "FoF Overseas",
    ),
}
USUAL: dict[str, Level] = {category: level for level, names in _BY_LEVEL.items() for category in names}


def usual(category: str) -> Level | None:
    """The usual level of a SEBI category; None where its funds differ too much to say (index funds, FoF)."""
    return USUAL.get(category)
