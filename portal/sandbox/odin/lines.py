"""A basket's lines: the dictionary of providers.md 2.5, read strictly where money depends on it.

Spellings: `orgQTY` and `orgQty`, `ordGTD` and the example's `ordGTD1`; order types by name or number. Prices are whole
paise. The example's token 12716 is no scrip of this world and stands for Yes Bank.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .. import market
from .sessions import Refusal

SEGMENTS = {1: "N", 3: "B"}
EXCHANGES = {1: "NSE", 3: "BSE"}
EXAMPLE_TOKENS = {(1, 12716): "YESBANK"}
LIMIT, AT_MARKET, STOP_LIMIT, STOP_MARKET = 1, 2, 3, 4
TYPES = {"RL": LIMIT, "RL-MKT": AT_MARKET, "SL": STOP_LIMIT, "SL-MKT": STOP_MARKET}
SIDES = {"BUY": 1, "SELL": 2}
PRODUCTS = {"DELIVERY": "D", "INTRADAY": "M", "BTST": "PT", "MTF": "MF", "COVER": "MP", "BRACKET": "B"}
DAY, IOC = 1, 4
VALIDITIES = (1, 2, 3, 4, 5, 6)
NUMBER = 510
MOST_LINES = 50
# No number of shares or paise, and no token, is longer.
DIGITS = 15


@dataclass(frozen=True)
class Line:
    """One order of a basket, in ODIN's own numbers. `price` and `trigger` in paise."""

    segment: int
    token: int
    symbol: str
    side: int
    type: int
    product: str
    validity: int
    quantity: int
    disclosed: int
    price: int
    trigger: int

    def document(self) -> dict[str, Any]:
        return asdict(self)


def _whole(line: dict[str, Any], *names: str, least: int = 0) -> int:
    """The first of the named fields as a whole number, which may come as digits. Raises Refusal."""
    name = next((name for name in names if name in line), names[0])
    value = line.get(name)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 10**DIGITS:
        raise Refusal(f"{name} must be a whole number from {least}", NUMBER)
    return value


def _security(segment: int, token: int) -> market.Security:
    if segment not in SEGMENTS:
        raise Refusal("mktSegId must be 1 (NSE cash) or 3 (BSE cash)", NUMBER)
    found = market.find(EXAMPLE_TOKENS.get((segment, token), token), SEGMENTS[segment])
    if found is None:
        raise Refusal(f"scripTkn {token} is not traded on market segment {segment}", NUMBER)
    return found


def _word(line: dict[str, Any], name: str, table: dict[str, Any]) -> Any:
    value = str(line.get(name) or "").upper()
    if value not in table:
        raise Refusal(f"{name} must be one of {', '.join(table)}", NUMBER)
    return table[value]


def _type(line: dict[str, Any]) -> int:
    value = line.get("ordType")
    by_number = {str(number): number for number in TYPES.values()}
    return by_number.get(str(value)) or int(_word(line, "ordType", TYPES))


def _side(line: dict[str, Any]) -> int:
    side: int = _word(line, "orderSide", SIDES)
    if str(line.get("buyOrSell")) != str(side):
        raise Refusal("buyOrSell must be 1 for BUY, 2 for SELL, as orderSide says", NUMBER)
    return side


def _prices(line: dict[str, Any], kind: int) -> tuple[int, int]:
    price, trigger = _whole(line, "ordPrice"), _whole(line, "trigPrice")
    if (price > 0) != (kind in (LIMIT, STOP_LIMIT)):
        raise Refusal("ordPrice is in paise: more than 0 for RL and SL, 0 for RL-MKT and SL-MKT", NUMBER)
    if (trigger > 0) != (kind in (STOP_LIMIT, STOP_MARKET)):
        raise Refusal("trigPrice is in paise: more than 0 for SL and SL-MKT, 0 otherwise", NUMBER)
    return price, trigger


def read(line: Any) -> Line:
    """A line of `basketData`; raises Refusal with the field's name."""
    if not isinstance(line, dict):
        raise Refusal("basketData must be a list of objects", NUMBER)
    segment, token = _whole(line, "mktSegId"), _whole(line, "scripTkn", least=1)
    security, kind = _security(segment, token), _type(line)
    price, trigger = _prices(line, kind)
    quantity = _whole(line, "orgQTY", "orgQty", least=1)
    disclosed = _whole(line, "discQty") if "discQty" in line else 0
    if disclosed and not quantity <= disclosed * 10 <= quantity * 10:
        raise Refusal("discQty must be 0, or from a tenth of the quantity to all of it", NUMBER)
    validity = _whole(line, "validity", least=1)
    if validity not in VALIDITIES:
        raise Refusal("validity must be 1 to 6", NUMBER)
    product = _word(line, "prodType", PRODUCTS)
    return Line(
        segment, token, security.symbol, _side(line), kind, product, validity, quantity, disclosed, price, trigger
    )


def read_all(data: Any) -> list[Line]:
    if not isinstance(data, list) or not data:
        raise Refusal("basketData is mandatory", NUMBER)
    if len(data) > MOST_LINES:
        raise Refusal(f"basketData may hold {MOST_LINES} scrips", NUMBER)
    return [read(line) for line in data]
