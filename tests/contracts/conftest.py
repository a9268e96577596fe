"""What contract tests share: the portal's own addresses, as the sandbox sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.receiver import Receiver
from tests.control import SandboxControl


@pytest.fixture
def portal(sandbox: SandboxControl) -> Iterator[Receiver]:
    """Where the sandbox delivers its notices during the test."""
    receiver = Receiver()
    sandbox.call("POST", "/webhooks", {"mode": "normal", "portal": receiver.url})
    try:
        yield receiver
    finally:
        receiver.close()
