"""Nothing personal or secret in logs and journals: by name of the field and by shape of the value.

PAN, account numbers, mobiles, tokens, OTPs, signatures and sessions are removed before anything is written where a
person or a log collector can read it. Names are compared in lower case without `_` and `-`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

HIDDEN = "[hidden]"
MAX_TEXT = 4_000
MAX_DEPTH = 12

# Whole value hidden when the field is called like this.
SECRET_NAMES = frozenset(
    """authorization token accesstoken refreshtoken requesttoken jwt secret apisecret password otp code session
    sessionid ssession cookie setcookie csrfmiddlewaretoken encrykey tokenurl pin totp signature mfprodate
    xgatewaysecret xgatewayauthtoken recoverycodes filename useragent ipaddress userip serverip responseverbatim
    smallcaseauthtoken authtoken checksum xgatewaychecksum
    srestsession sapptoken stwowaytoken twowaytoken sinitiatorapptoken sapplicationtoken jtoken authcode secretkey
    key jwttoken 5paisacookie""".split()
)
# Masked to its last characters when the field is called like this.
MASKED_NAMES = frozenset(
    """pan pannumber guardianpannumber number accountnumber bankaccountnumber redemptionbankaccountnumber mobile
    email phone phonenumber firsttrctaxidnumber secondtrctaxidnumber thirdtrctaxidnumber aadhaar name displayname
    accountholdername fatherorspousename mothersname fathername mothername spousename aadhaarnumber proofnumber
    guardianname line1 line2 line3 dateofbirth query
    smallcaseauthid authid clientcode clientname emailid ucc sclientcode svasuserid stradinguserid stpuserid
    sthirdpartyuserid sname semail""".split()
)
# FP's `number` is a page number in list answers: short values are no account numbers and stay readable.
_SHAPES = (
    # Sessions, tokens and people that travel in an address (ODIN's redirects, 5paisa's way back).
    re.compile(
        r"(?i)(?<=[?&])(?:s?(?:rest|request|access|refresh|app|two_?way|vendor)?(?:session|token|key)"
        r"|s(?:tp|vas|trading)userid|sname|semail)=[^&#\s\"']+"
    ),
    re.compile(r"\b[A-Z]{3}[PCHFATBLJG][A-Z]\d{4}[A-Z]\b"),  # PAN
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),  # JWT
    re.compile(r"(?<!Date\()(?<![\d.])\d{9,18}(?![\d.])"),  # account number, Aadhaar, mobile; no `/Date(ms)/`
    re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),  # e-mail
    # What was posted, where an error repeats it: `'otp': ['314159']`, `password=...`, `code: 314159`.
    re.compile(r"(?i)\b\w*(?:otp|code|pin)['\"]?\s*[:=]\s*[\['\" ]*\d{4,8}\b"),
    re.compile(
        r"(?i)\b\w*(?:password\d?|secret|token|sessionid)['\"]?\s*[:=]\s*\[?(?:'[^']*'?|\"[^\"]*\"?|[^\s'\",&;\]})]+)"
    ),
)
# What has none of these has none of those shapes: most texts are looked at once.
_SUSPICIOUS = re.compile(r"[@?&]|eyJ|[A-Z]\d{4}|\d{9}")
# Long digit runs that are references and no personal data keep their value under these names.
REFERENCE_NAMES = frozenset(
    """id ids orderid amcorderids investmentaccountid primaryinvestorid sourcerefid paymentid clientref providerref
    amccode schemecode amficode path
    transactionid batchid exchangeorderid exchorderid brokerorderid remoteorderid exchtradeid exchangetradeid
    ordernumber uniquecode tradenumber messagesequencenumber jentrysequencenumber""".split()
)


# UIDAI: twelve digits, the first 2 to 9, the last a check digit after Verhoeff; printed in groups of four.
_AADHAAR = re.compile(r"(?<![\d.])[2-9]\d{3}([ -]?)\d{4}\1\d{4}(?!\d|\.\d)")
_WAS_AADHAAR = re.compile(r"XXXX XXXX \d{4}")
_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_TURNS = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def has_aadhaar(text: str) -> bool:
    """Does an Aadhaar number stand somewhere in the text, or stood there before it was masked?"""
    return bool(_WAS_AADHAAR.search(text)) or any(_checks(found[0]) for found in _AADHAAR.finditer(text))


def without_aadhaar(text: str) -> str:
    """The text in which of each Aadhaar number only the last four digits stand."""
    return _AADHAAR.sub(lambda found: f"XXXX XXXX {found[0][-4:]}" if _checks(found[0]) else found[0], text)


def _checks(number: str) -> bool:
    """Verhoeff's check digit."""
    sum_so_far = 0
    for place, digit in enumerate(reversed([int(each) for each in number if each.isdigit()])):
        sum_so_far = int(_TIMES[sum_so_far][int(_TURNS[place % 8][digit])])
    return sum_so_far == 0


def mask(value: str, keep: int = 4) -> str:
    """Show only the last `keep` characters of an identifier: `XXXXXX751C`. Short values are hidden whole."""
    return HIDDEN if len(value) <= keep else "X" * (len(value) - keep) + value[-keep:]


def mask_pan(pan: str) -> str:
    """A PAN as people may see it: first two and last two characters."""
    return f"{pan[:2]}XXXXXX{pan[-2:]}" if len(pan) == 10 else HIDDEN


def mask_email(email: str) -> str:
    """An e-mail address as people may see it: `as***@example.org`."""
    name, _, host = email.partition("@")
    return f"{name[:2]}***@{host}" if host else HIDDEN


def text(value: str) -> str:
    """`value` without anything that looks like a PAN, a token, an account number or an e-mail address."""
    if _SUSPICIOUS.search(value):
        for shape in _SHAPES:
            value = shape.sub(HIDDEN, value)
    return value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "… [cut]"


def each_in(body: Any) -> Any:
    """A parsed body whose texts and long numbers were looked at one by one, as `text` does: its shape stays.

    Of a body that is written out first, `text` may hide a name together with its value, or cut it in the middle.
    """
    if isinstance(body, dict):
        return {text(str(name)): each_in(each) for name, each in body.items()}
    if isinstance(body, list):
        return [each_in(each) for each in body]
    if body is None or isinstance(body, bool):
        return body
    seen = text(str(body))
    return body if isinstance(body, int | float) and seen == str(body) else seen


def storable(value: str) -> str:
    """`value` without what PostgreSQL cannot keep: NUL characters and lone surrogates become replacement characters."""
    if value.isascii() and "\x00" not in value:
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=4_096)
def _usual(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _folded(name: str) -> str:
    """A name in lower case without `_` and `-`; only names of a usual length are remembered."""
    return _usual(name) if len(name) <= 60 else _usual.__wrapped__(name)


def redact(value: Any, name: str = "", depth: int = 0) -> Any:
    """A copy of a parsed body, header map or log value that may be stored and shown to staff."""
    key = _folded(name)
    if key in SECRET_NAMES and value not in (None, "", [], {}):
        return HIDDEN
    if isinstance(value, str):
        return _text_under(key, storable(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return mask(str(value)) if key in MASKED_NAMES and value > 99_999 else value
    if isinstance(value, Decimal):
        return _text_under(key, str(value))
    if depth > MAX_DEPTH:
        return "[deeper than we keep]"
    if isinstance(value, dict | Mapping):
        return {storable(str(k)): redact(v, str(k), depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redact(v, name, depth + 1) for v in value[:200]]
    return value


def _text_under(key: str, value: str) -> str:
    if key in MASKED_NAMES and value:
        return mask(value, keep=4 if len(value) > 6 else 0) if key not in {"name"} else HIDDEN
    if key in REFERENCE_NAMES and len(value) <= 200:
        return value
    return text(value)


def log_processor(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: the last thing that touches a log line before it is written."""
    for key, value in list(event.items()):
        if not key.startswith("_") and key not in {"timestamp", "level", "logger"}:
            event[key] = redact(value, key)
    return event
