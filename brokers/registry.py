"""Which routes there are: code -> adapter. Those that `BROKERS` names are switched on."""

from __future__ import annotations

from django.conf import settings

from brokers.adapter import Adapter, Capability, Login
from brokers.odin.adapter import OdinAdapter
from brokers.odin.login import OdinLogin
from brokers.smallcase.adapter import SmallcaseAdapter

ADAPTERS: dict[str, Adapter] = {each.capability.code: each for each in (SmallcaseAdapter(), OdinAdapter())}
# Routes on which an account is linked by a login of its own.
LOGINS: dict[str, Login] = {"odin": OdinLogin()}


def adapter(code: str) -> Adapter:
    """The route with this code. Raises KeyError for one that does not exist; switched off ones still settle."""
    return ADAPTERS[code]


def capabilities() -> list[Capability]:
    """The routes that investors may choose now, in the order of the setting."""
    return [ADAPTERS[code].capability for code in settings.BROKERS if code in ADAPTERS]


def logins() -> dict[str, Login]:
    """The routes on which an account can be linked now, in the order of the setting."""
    return {code: LOGINS[code] for code in settings.BROKERS if code in LOGINS}
