"""Before the first order in a fund house the registries are asked again: a new folio is opened on what they say now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from investors import queries as people
from investors.models import Investor
from investors.operations import kyc
from orders.models import Folio, Scheme
from portal.errors import Failure
from portal.gateway.errors import GatewayError

# An answer of the same day is good enough; the daily life of a registry is slower.
FRESH = timedelta(days=1)


class RegistriesSilent(Failure):
    """The registries could not be asked, so nothing is begun at a new fund house."""

    code = "registries_silent"
    message = (
        "This would be your first order in this fund house, and we ask the KYC registries before it. They do not "
        "answer just now. Nothing was ordered and no money moved; please try again in a minute."
    )


def ask_registries(*, investor: Investor, isins: Collection[str], at: datetime) -> None:
    """The newest answer about the PAN is of today if one of these schemes is of a fund house without a folio.

    What it says is judged by the rules of the purchase. Raises RegistriesSilent. No transaction may be open.
    """
    if not _is_new_somewhere(investor, isins):
        return
    newest = people.latest_kyc(investor)
    if newest and newest.checked_at > at - FRESH:
        return
    try:
        kyc.recheck(investor=Investor.objects.get(pk=investor.pk), at=at)
    except (GatewayError, kyc.RegistrySilent) as error:
        raise RegistriesSilent from error


def _is_new_somewhere(investor: Investor, isins: Collection[str]) -> bool:
    houses = set(Scheme.objects.filter(isin__in=isins).values_list("fund_house_id", flat=True))
    known = Folio.objects.filter(investor=investor, fund_house__in=houses).values_list("fund_house_id", flat=True)
    return bool(houses - set(known))
