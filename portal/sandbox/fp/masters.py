"""Master data: PIN codes, states, countries, bank branches, fund houses, fund schemes, and the permitted words."""

from __future__ import annotations

from typing import Any

from ..places import COUNTRIES, branch, ifsc_count, ifsc_slice, pincodes, states
from ..schemes import FundScheme, amcs, fund_schemes, listings
from ..web import Problem, Request, Response, json_response
from ..world import World
from .common import envelope, onboarding_envelope, paging, refuse, self_link
from .investor_rules import BANK_TYPES, GENDERS, MARITAL, OCCUPATIONS, RELATIONS, SOURCES_OF_WEALTH

METADATA = {
    "address_types": ["CORRESPONDENCE", "OVERSEAS", "PERMANENT"],
    "residential_statuses": [
        "RESIDENT_INDIVIDUAL", "NON_RESIDENT_INDIVIDUAL", "FOREIGN_NATIONAL", "PERSON_OF_INDIAN_ORIGIN",
        "PERSON_OF_INDIAN_ORIGIN_RESIDENT",
    ],
    "occupations": list(OCCUPATIONS),
    "individual_identity_proofs": [
        "UID_AADHAR", "PANCARD", "VOTER_ID", "PASSPORT", "DRIVING_LICENSE", "NREGA_JOB_CARD", "OTHERS",
    ],
    "genders": list(GENDERS),
    "marital_statuses": list(MARITAL),
    "kyc_relationships": list(RELATIONS),
    "source_of_wealths": list(SOURCES_OF_WEALTH),
    "bank_account_types": list(BANK_TYPES),
}  # fmt: skip


def _pincode(request: Request, code: str) -> dict[str, Any]:
    pin = pincodes()[code]
    href = f"{request.base_url}/fp/api/onb/pincodes/{code}"
    return {
        "code": code, "city": pin.office, "district": pin.district, "state_name": pin.state, "country_ansi_code": "IN",
        "_links": [{"href": href, "rel": "self", "method": "GET"}],
    }  # fmt: skip


def list_pincodes(world: World, request: Request) -> Response:
    page, size = paging(request)
    codes = list(pincodes())
    items = [_pincode(request, code) for code in codes[page * size : (page + 1) * size]]
    return json_response(onboarding_envelope("pincodes", items, len(codes), page, size))


def one_pincode(world: World, request: Request, code: str) -> Response:
    if code not in pincodes():
        raise Problem(404, "Pincode not found")
    return json_response(_pincode(request, code))


def list_states(world: World, request: Request) -> Response:
    return json_response({"states": states()})


def list_countries(world: World, request: Request) -> Response:
    return json_response({"countries": [{"name": name, "ansi_code": code} for code, name in COUNTRIES]})


def list_ifscs(world: World, request: Request) -> Response:
    page, size = paging(request)
    items = [branch(ifsc) for ifsc in ifsc_slice(page * size, (page + 1) * size)]
    return json_response(onboarding_envelope("ifsc_codes", items, ifsc_count(), page, size))


def one_ifsc(world: World, request: Request, ifsc: str) -> Response:
    try:
        return json_response(branch(ifsc.upper()))
    except KeyError:
        raise Problem(404, "IFSC code not found") from None


def _with_link(request: Request, scheme: FundScheme) -> dict[str, Any]:
    return scheme.document() | {
        "_links": {"self": {"href": f"{request.base_url}/fp/oms/api/fund_schemes/{scheme.isin}"}}
    }


def one_scheme(world: World, request: Request, isin: str) -> Response:
    scheme = fund_schemes().get(isin.upper())
    if scheme is None:
        raise Problem(404, "Fund scheme not found")
    return json_response(_with_link(request, scheme))


def list_schemes(world: World, request: Request) -> Response:
    page, size = paging(request)
    active = request.query.get("active", "").lower()
    if active not in ("", "true", "false"):
        raise refuse("active", "must be true or false")
    wanted = {isin.strip().upper() for isin in request.query.get("isin", "").split(",") if isin.strip()}
    known = fund_schemes()
    chosen = [known[isin] for isin in known if isin in wanted] if wanted else list(known.values())
    if active:
        chosen = [scheme for scheme in chosen if scheme.listing.live is (active == "true")]
    items = [scheme.document() for scheme in chosen[page * size : (page + 1) * size]]
    return json_response(envelope("fund_schemes", items, len(chosen), page, size))


def list_amcs(world: World, request: Request) -> Response:
    live = {row.amc for row in listings() if row.live}
    items = [{"id": key, "name": name, "active": name in live, "amc_code": None} for name, key in amcs().items()]
    return json_response({"_links": self_link(request), "amcs": items})


def metadata(world: World, request: Request) -> Response:
    return json_response(METADATA)


ROUTES = [
    ("GET", "/api/onb/pincodes", list_pincodes),
    ("GET", "/api/onb/pincodes/{code}", one_pincode),
    ("GET", "/api/onb/states", list_states),
    ("GET", "/api/onb/countries", list_countries),
    ("GET", "/api/onb/ifsc_codes", list_ifscs),
    ("GET", "/api/onb/ifsc_code/{ifsc}", one_ifsc),
    ("GET", "/api/onb/ifsc_codes/{ifsc}", one_ifsc),
    ("GET", "/api/oms/fund_schemes", list_schemes),
    ("GET", "/api/oms/fund_schemes/{isin}", one_scheme),
    ("GET", "/oms/api/fund_schemes/{isin}", one_scheme),
    ("GET", "/api/oms/amcs", list_amcs),
    ("GET", "/api/onb/metadata", metadata),
]
