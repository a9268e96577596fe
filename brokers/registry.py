"""Which routes there are: code -> adapter. Those that `BROKERS` names are switched on."""

from __future__ import annotations

from django.conf import settings

from brokers.adapter import Adapter, Capability, Login
from brokers.fivepaisa.adapter import FivePaisaAdapter
from brokers.fivepaisa.login import FivePaisaLogin
from brokers.native import NativeAdapter
from brokers.odin.adapter import OdinAdapter
from brokers.odin.login import OdinLogin
from brokers.smallcase.adapter import SmallcaseAdapter

ADAPTERS: dict[str, Adapter] = {each.capability.code: each for each in (SmallcaseAdapter(), OdinAdapter())}
# Where we place every share ourselves.
NATIVE: dict[str, NativeAdapter] = {each.capability.code: each for each in (FivePaisaAdapter(),)}
# Routes on which an account is linked by a login of its own.
LOGINS: dict[str, Login] = {"odin": OdinLogin(), "5paisa": FivePaisaLogin()}


def adapter(code: str) -> Adapter:
    """The route with this code. Raises KeyError for one that does not exist; switched off ones still settle."""
    return ADAPTERS[code]


def native(code: str) -> NativeAdapter | None:
    """The route with this code when we place its shares ourselves; None for the others."""
    return NATIVE.get(code)


def capability(code: str) -> Capability:
    """What is told about a route. Raises KeyError for one that does not exist."""
    return (NATIVE.get(code) or ADAPTERS[code]).capability


def capabilities() -> list[Capability]:
    """The routes that investors may choose now, in the order of the setting."""
    return [capability(code) for code in settings.BROKERS if code in ADAPTERS or code in NATIVE]


def logins() -> dict[str, Login]:
    """The routes on which an account can be linked now, in the order of the setting."""
    return {code: LOGINS[code] for code in settings.BROKERS if code in LOGINS}
