"""What each order gateway of FP can do (given document; "Not Supported with BSE as gateway provider").

    RTA   the registrar takes the order once the money is on its way: pay first, then it is submitted
    BSE   the exchange takes the order first; it is paid on a page of BSE's, by net banking

Which of them serves this distributor is FP's configuration and our setting FP_ORDER_GATEWAY.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Capabilities:
    """`rails` are the ways of paying, `pages` those of them at which the investor opens a page."""

    rails: tuple[str, ...]
    pages: tuple[str, ...]
    pays_first: bool
    changes_mandate: bool
    skips_instalments: bool


GATEWAYS = {
    "RTA": Capabilities(
        rails=("UPI", "NETBANKING", "CARD", "NACH"),
        pages=("UPI", "NETBANKING", "CARD"),
        pays_first=True,
        changes_mandate=True,
        skips_instalments=True,
    ),
    "BSE": Capabilities(
        rails=("NETBANKING",),
        pages=("NETBANKING",),
        pays_first=False,
        changes_mandate=False,
        skips_instalments=False,
    ),
}


def of(gateway: str) -> Capabilities:
    """Raises KeyError for a gateway that FP does not have."""
    return GATEWAYS[gateway]
