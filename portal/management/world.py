"""The clock of the sandbox and of the portal, moved together; and the person at the sandbox's bank page."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from portal import clock
from portal.gateway.transport import refuse_the_wrong_world

SAME_TIME = timedelta(seconds=2)


class SandboxRefused(Exception):
    """The sandbox does not answer, or says why it does not do what it was asked."""


def control(path: str, body: dict[str, Any] | None = None) -> Any:
    """One call to the control room: POST with a body, else GET. Raises SandboxRefused."""
    refuse_the_wrong_world(settings.SANDBOX_URL)
    request = urllib.request.Request(  # noqa: S310 - loopback, checked above
        f"{settings.SANDBOX_URL}/_control{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SandboxRefused(f"the sandbox refused: {error.read().decode('utf-8', 'replace')[:200]}") from error
    except OSError as error:
        raise SandboxRefused(f"no sandbox at {settings.SANDBOX_URL}: start it with ./run up") from error


def move(change: dict[str, str] | None = None) -> datetime:
    """The world's time, after `{"advance": "P1D"}` or `{"at": moment}` if given; the portal's clock follows."""
    world = datetime.fromisoformat(control("/clock", change)["now"])
    ahead = world - datetime.now(tz=clock.IST)
    clock.set_offset(0 if abs(ahead) < SAME_TIME else round(ahead.total_seconds()))
    return world


def pay(payment_ref: str) -> None:
    """The person at the bank page pays."""
    control(f"/fp/payments/{payment_ref}", {"outcome": "success"})


def approve_mandate(mandate_ref: str) -> None:
    """The person authorises a mandate at the bank, and the bank approves it."""
    for step in ("SUBMITTED", "APPROVED"):
        control(f"/fp/mandates/{mandate_ref}", {"status": step})
