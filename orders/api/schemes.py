"""Schemes and NAVs: the same for everybody."""

from __future__ import annotations

from django.db.models import QuerySet

from orders.models import Nav, Scheme
from portal.api.door import Call
from portal.api.endpoints import get
from portal.api.errors import Trouble
from portal.api.shapes import Filter, Shape, col

SCHEME = Shape(
    "Scheme",
    "A scheme of a mutual fund, one plan and option, with its latest NAV.",
    {
        "id": col("id", "isin", "The ISIN.", example="INF000A01011"),
        "name": col("text", "name", "The name.", example="Example Flexi Cap Fund - Growth"),
        "fund_house": col("text", "fund_house__name", "The fund house.", example="Example Mutual Fund"),
        "amfi_code": col("count", "amfi_code", "AMFI's number.", null=True, example=100001),
        "asset_class": col("text", "asset_class", "The asset class.", choices=Scheme.AssetClass.values),
        "category": col("text", "category", "SEBI's category.", example="Flexi Cap Fund"),
        "plan": col("text", "plan", "Through a distributor or direct.", choices=Scheme.Plan.values),
        "option": col("text", "option", "What happens with income.", choices=Scheme.Option.values),
        "is_active": col("yes", "is_active", "Offered at all?"),
        "purchase_allowed": col("yes", "purchase_allowed", "May it be bought?"),
        "redemption_allowed": col("yes", "redemption_allowed", "May it be sold?"),
        "sip_allowed": col("yes", "sip_allowed", "May a SIP be started?"),
        "lock_in_years": col("count", "lock_in_years", "Years for which units are locked.", null=True, example=3),
        "min_first": col("money", "min_first", "Least rupees of a first purchase.", null=True),
        "min_more": col("money", "min_more", "Least rupees of a further purchase.", null=True),
        "min_sip": col("money", "min_sip", "Least rupees of an instalment.", null=True, example="500.00"),
        "sip_days": col("text", "sip_days", "Days of the month, with commas.", example="1,5,10,15,20,25"),
        "min_redeem": col("money", "min_redeem", "Least rupees of a sale.", null=True, example="1000.00"),
        "exit_load": col("text", "exit_load_note", "The exit load in words.", example=""),
        "nav": col("nav", "nav", "The latest NAV.", null=True),
        "nav_on": col("date", "nav_on", "Of which day it is.", null=True),
        "previous_nav": col("nav", "previous_nav", "The NAV before.", null=True),
        "previous_nav_on": col("date", "previous_nav_on", "Of which day that is.", null=True),
    },
)


@get("schemes", answer=SCHEME, scope="schemes:read", filters={
    "fund_house": Filter("fund_house__name", "Only of this fund house.", "text"),
    "category": Filter("category", "Only of this category.", "text"),
    "asset_class": Filter("asset_class", "Only of this asset class.", choices=tuple(Scheme.AssetClass.values)),
    "plan": Filter("plan", "Only of this plan; we sell no direct ones.", choices=tuple(Scheme.Plan.values)),
    "purchase_allowed": Filter("purchase_allowed", "Only those that may be bought, or may not.", "yes"),
    "nav_on": Filter("nav_on", "Only those whose latest NAV is of this day.", "date"),
})  # fmt: skip
def list_schemes(call: Call) -> QuerySet[Scheme]:
    """List schemes with their latest NAV."""
    return Scheme.objects.filter(is_active=True)


@get("schemes/<id>", answer=SCHEME, scope="schemes:read", by="isin")
def get_scheme(call: Call) -> QuerySet[Scheme]:
    """Read a scheme with its latest NAV, by its ISIN."""
    return Scheme.objects.all()


NAV = Shape(
    "Nav",
    "The NAV of a scheme on a day, as AMFI published it.",
    {"on": col("date", "on", "Of which day."), "nav": col("nav", "nav", "Rupees a unit.")},
)


@get("schemes/<id>/navs", answer=NAV, scope="schemes:read", is_many=True, key="on", filters={
    "from": Filter("on__gte", "Of this day or later.", "date"),
    "to": Filter("on__lte", "Of this day or earlier.", "date"),
})  # fmt: skip
def list_navs(call: Call) -> QuerySet[Nav]:
    """List the NAVs of a scheme, the newest day first. Nothing is listed for a scheme that AMFI has no number for."""
    scheme = Scheme.objects.filter(isin=call.id).first()
    if scheme is None:
        raise Trouble("not_found")
    return Nav.objects.filter(amfi_code=scheme.amfi_code or 0)
