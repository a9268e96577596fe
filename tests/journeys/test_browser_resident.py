"""A resident whom the KYC registries know gets ready to invest at 360 pixels, with the keyboard alone."""

from __future__ import annotations

import pytest

from tests.journeys.keys import Keys
from tests.journeys.stack import LiveStack
from tests.journeys.test_browser_fresh_kyc import sign_up
from tests.journeys.test_browser_main_job import get_ready

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]


def test_a_resident_whom_the_registries_know_gets_ready_without_a_mouse(keys: Keys, stack: LiveStack):
    sign_up(keys, stack, "kabir@journey.example")
    keys.press("Get ready to invest")
    get_ready(keys, stack, pan="KBRPS3751K")
    keys.assert_clean()
