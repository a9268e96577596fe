"""PIN codes, states, countries and bank branches.

PIN codes, IFSCs and bank names are real. Branch details (address, city, MICR) are not in the data: they are chosen by a
fixed rule from the IFSC, so that the same branch is always at the same place.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from .clock import DATA
from .schemes import stable


@dataclass(frozen=True, slots=True)
class Pincode:
    code: str
    office: str
    district: str
    state: str


COUNTRIES = (
    ("AU", "Australia"), ("BE", "Belgium"), ("CA", "Canada"), ("CN", "China"), ("FR", "France"), ("DE", "Germany"),
    ("HK", "Hong Kong"), ("IN", "India"), ("ID", "Indonesia"), ("IE", "Ireland"), ("IT", "Italy"), ("JP", "Japan"),
    ("KE", "Kenya"), ("KW", "Kuwait"), ("MY", "Malaysia"), ("MU", "Mauritius"), ("NP", "Nepal"), ("NL", "Netherlands"),
    ("NZ", "New Zealand"), ("OM", "Oman"), ("QA", "Qatar"), ("SA", "Saudi Arabia"), ("SG", "Singapore"),
    ("ZA", "South Africa"),
    ("KR", "South Korea"), ("ES", "Spain"), ("LK", "Sri Lanka"), ("SE", "Sweden"), ("CH", "Switzerland"),
    ("TH", "Thailand"),
    ("AE", "United Arab Emirates"), ("GB", "United Kingdom"), ("US", "United States of America"),
)  # fmt: skip


def _json(name: str) -> Any:
    return json.loads(gzip.open(DATA / name).read() if name.endswith(".gz") else (DATA / name).read_bytes())


@cache
def pincodes() -> dict[str, Pincode]:
    with gzip.open(DATA / "pincodes.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {
            r["pincode"]: Pincode(r["pincode"], r["office"].title(), r["district"].title(), r["state"].title())
            for r in rows
        }


@cache
def _pincode_list() -> list[Pincode]:
    return list(pincodes().values())


@cache
def states() -> list[dict[str, str]]:
    keys = ("name", "state_code", "country_ansi_code")
    return [{key: state[key] for key in keys} for state in _json("states.json")["states"]]


@cache
def country_codes() -> frozenset[str]:
    return frozenset(code for code, _ in COUNTRIES)


@cache
def _branches() -> dict[str, frozenset[str]]:
    """Bank code -> its branch codes, six characters each."""
    return {bank: frozenset(str(code).zfill(6) for code in codes) for bank, codes in _json("IFSC.json.gz").items()}


@cache
def bank_names() -> dict[str, str]:
    return dict(_json("banknames.json.gz"))


def ifsc_exists(ifsc: str) -> bool:
    return len(ifsc) == 11 and ifsc[4] == "0" and ifsc[5:] in _branches().get(ifsc[:4], frozenset())


@cache
def ifsc_count() -> int:
    return sum(len(codes) for codes in _branches().values())


def _all_ifscs() -> Iterator[str]:
    for bank, codes in _branches().items():
        yield from (f"{bank}0{code}" for code in sorted(codes))


def ifsc_slice(start: int, stop: int) -> list[str]:
    return list(itertools.islice(_all_ifscs(), start, stop))


def branch(ifsc: str) -> dict[str, Any]:
    """Details of an existing branch; raises KeyError."""
    if not ifsc_exists(ifsc):
        raise KeyError(ifsc)
    pin = _pincode_list()[stable(ifsc) % len(_pincode_list())]
    name, door = bank_names().get(ifsc[:4], ifsc[:4]), 1 + stable("door", ifsc) % 200
    return {
        "ifsc_code": ifsc,
        "micr_code": f"{pin.code[:3]}{stable('bank', ifsc[:4]) % 1000:03d}{stable(ifsc) % 1000:03d}",
        "branch_name": pin.office.upper(),
        "branch_address": f"{name}, {door} Main Road, {pin.office}, {pin.district} {pin.code}",
        "bank_name": name.upper(),
        "contact": None,
        "city": pin.office,
        "district": pin.district.upper(),
        "state": pin.state.upper(),
    }
