"""The brokers that the gateway knows: the keys of the document and the later ones of providers.md 1.8."""

from __future__ import annotations

BROKERS = {
    "aliceblue": "Alice Blue", "angelbroking": "Angel One", "axis": "Axis Securities", "edelweiss": "Nuvama",
    "fivepaisa": "5paisa", "groww": "Groww", "hdfc": "HDFC Securities", "icici": "ICICI Direct",
    "iifl": "IIFL Securities", "kite": "Zerodha", "kotak": "Kotak Securities", "motilal": "Motilal Oswal",
    "trustline": "Trustline", "upstox": "Upstox", "dhan": "Dhan", "fisdom": "Fisdom", "fundzbazar": "FundzBazar",
    "hdfcsky": "HDFC SKY", "paytm": "Paytm Money", "sbi": "SBI Securities",
}  # fmt: skip
DEFAULT = "kite"


def chosen(keys: list[str]) -> dict[str, str]:
    """Those asked for, in the order asked; all when none of them is known."""
    found = {key: BROKERS[key] for key in keys if key in BROKERS}
    return found or BROKERS
