"""The other order gateway: FP's tenant whose orders go to BSE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from portal.fintech_primitives.client import client as fp


@pytest.fixture
def bse(sandbox: Any, settings: Any) -> Iterator[None]:
    """Ask for it before anybody who is to be registered there."""
    settings.FP_ORDER_GATEWAY = "BSE"
    before = fp()._credentials
    fp()._credentials = replace(before, tenant="sandbox-bse", api_key_id="sandbox-bse", secret="sandbox-bse-secret")
    fp()._renew_at = 0.0
    yield
    fp()._credentials = before
    fp()._renew_at = 0.0
