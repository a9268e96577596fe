"""Getting ready, page by page, against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from investors import queries
from investors.models import Address, BankAccount, Investor, KycCheck, Nominee
from portal import clock
from portal.models import User
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import (
    ADDRESS,
    BANK,
    NOMINEE,
    OPT_OUT,
    PAN,
    PERSONAL,
    TYPED,
    fresh,
    step_url,
    type_everything,
    type_in,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person(db: None) -> User:
    return factories.UserFactory(email="asha@portal.example", mobile="")


@pytest.fixture
def browser(client_for: Callable[..., Client], person: User) -> Client:
    return client_for(person)


def mine(person: User) -> Investor:
    return Investor.objects.get(user=person)


def test_goes_from_pan_to_ready(browser: Client, person: User, sandbox: SandboxControl, recover: Any) -> None:
    type_everything(browser)
    investor = mine(person)
    assert investor.state == "REGISTERING"
    recover()
    recover()
    investor = fresh(investor)
    assert investor.state == "READY"
    assert investor.provider_ref
    assert investor.investmentaccounts.get().provider_ref
    assert investor.bankaccounts.get().provider_ref
    assert browser.get(reverse("investors:profile")).status_code == 200
