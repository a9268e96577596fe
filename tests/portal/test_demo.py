"""The demo that a newcomer meets: everybody in the state that is promised, and a second run changes nothing."""

from __future__ import annotations

import time

import pytest
from django.core.management import call_command

from investors import queries
from investors.models import Application, Investor
from orders.models import (
    CommissionLine,
    CommissionMonth,
    CommissionRate,
    CommissionStatement,
    Holding,
    MfOrder,
    Payout,
    Plan,
)
from portal import clock, roles
from portal.management import demo
from portal.models import FirmRequest, Partner, PartnerEvent, User

# Real commits: the codes are mailed after them.
pytestmark = pytest.mark.django_db(transaction=True)


def of(email: str) -> Investor | None:
    return Investor.objects.filter(user__email=email).first()


def test_makes_everybody_once_in_the_promised_state(sandbox, settings, tmp_path, client):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    call_command("seed_demo")
    asha, bharat, chitra, esha = (of(person.email) for person in demo.INVESTORS)

    assert [each.state for each in MfOrder.objects.filter(investor=asha)] == ["ALLOTTED"] * 2
    holdings = Holding.objects.filter(investor=asha).select_related("scheme__fund_house")
    assert len(holdings) == 2
    assert all(each.units > 0 and each.first_bought_on < clock.today() for each in holdings)
    assert asha.partner.code == "NORTHSTAR"
    told_partner = PartnerEvent.objects.filter(partner=asha.partner, data__investor=asha.code)
    assert {"order.allotted", "sip.active", "mandate.approved"} <= set(told_partner.values_list("type", flat=True))
    assert told_partner.filter(seq=None).count() == 0
    sip = Plan.objects.select_related("mandate").get(investor=asha)
    assert (sip.state, sip.mandate.state) == ("ACTIVE", "APPROVED")

    assert (bharat.state, queries.latest_kyc(bharat).is_compliant) == ("DRAFT", False)

    order = MfOrder.objects.get(investor=chitra)
    assert order.state == "AWAITING_PAYMENT"
    assert chitra.partner.code == "LOTUS"

    assert esha is None, "she has only signed up"
    houses = {each.scheme.fund_house for each in holdings}
    assert {rate.fund_house for rate in CommissionRate.objects.all()} == houses
    months = CommissionMonth.objects.filter(folio__investor=asha, partner=asha.partner, month__lt=clock.today())
    assert sum(each.expected for each in months) > 0, "the pages of commission are not empty"
    lines = CommissionLine.objects.filter(partner=asha.partner, why_not="")
    assert 0 < sum(each.amount for each in lines) < sum(each.expected for each in months), "some of it did not come"
    assert CommissionLine.objects.exclude(why_not="").count() == 1
    assert sorted(Payout.objects.filter(partner=asha.partner).values_list("state", flat=True)) == ["ASKED", "PAID"]

    stages = set(Application.objects.values_list("stage", flat=True))
    assert stages == set(Application.Stage), "one at each stage"
    assert Partner.objects.count() == 2
    assert chitra.partner.head == asha.partner
    assert FirmRequest.objects.get().head == asha.partner
    for person in demo.STAFF:
        assert roles.roles_of(User.objects.get(email=person.email)) == [person.role]

    assert abs(clock.now().timestamp() - time.time()) < 5, "the clock is back at the present"
    assert abs(sandbox.now().timestamp() - time.time()) < 5
    call_command("reconcile")

    told, rates = len(sandbox.ledger()["orders"]), CommissionRate.objects.count()
    call_command("seed_demo")
    assert CommissionRate.objects.count() == rates
    assert (CommissionStatement.objects.count(), Payout.objects.count()) == (1, 2)
    assert (MfOrder.objects.count(), Plan.objects.count()) == (3, 1)
    assert len(sandbox.ledger()["orders"]) == told

    for person in demo.EVERYBODY:
        assert client.login(email=person.email, password=demo.PASSWORD), person.email
