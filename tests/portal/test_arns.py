"""The end of a partner's registration with AMFI: who is told before, what stops, what goes on (screens.md F78)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from investors.models import Invite
from investors.operations import invites
from orders.models import ApprovalLine
from orders.operations import approvals
from portal import arns, clock
from portal.api import partners
from portal.models import Case, Partner
from portal.notices.models import Notice
from tests import factories
from tests.webhooks.test_events import link

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Partner:
    firm = factories.PartnerFactory(name="North Wealth", arn="ARN-12345", arn_until=clock.today() + timedelta(days=60))
    partners.add_member(partner=firm, user=factories.UserFactory(), actor="test", at=clock.now())
    return firm


def end(firm: Partner, *, days_ago: int = 1) -> Partner:
    firm.arn_until = clock.today() - timedelta(days=days_ago)
    firm.save()
    return firm


def told() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("title", flat=True))


def test_a_partner_is_told_sixty_thirty_and_seven_days_before_and_after_the_end(firm: Partner) -> None:
    for day in (-1, 0, 1, 29, 30, 31, 53, 54, 60, 61, 62, 400):
        arns.watch(at=clock.now() + timedelta(days=day))
    until = f"{firm.arn_until:%-d %b %Y}"
    assert told() == [f"ARN-12345 ends on {until}"] * 3 + [f"ARN-12345 ended on {until}"]
    assert set(Notice.objects.values_list("url", flat=True)) == {reverse("console:home")}
    case = Case.objects.get()
    assert (case.kind, case.title) == (arns.CASE, f"The ARN of North Wealth ended on {until}")
    end(firm, days_ago=-400)
    arns.watch(at=clock.now())
    assert len(told()) == 4, "a renewed one is watched anew, and its end is far"
    assert Case.objects.get().state == "CLOSED"


def test_nobody_watches_a_firm_without_a_day_or_one_that_we_work_with_no_more(firm: Partner) -> None:
    factories.PartnerFactory(arn="ARN-1")
    Partner.objects.filter(pk=firm.pk).update(is_active=False)
    assert arns.watch(at=clock.now()) == 0
    with pytest.raises(IntegrityError, match="a_last_good_day_is_that_of_an_arn"), transaction.atomic():
        factories.PartnerFactory(arn_until=clock.today())


@pytest.mark.parametrize(("days_ago", "is_refused"), [(0, False), (1, True)])
def test_the_last_good_day_is_good_and_from_the_next_on_nobody_is_invited(
    days_ago: int, is_refused: bool, firm: Partner
) -> None:
    end(firm, days_ago=days_ago)
    given: dict[str, Any] = {"email": "a@portal.example", "name": "", "filled": {}, "euin": "", "basis": "Asked"}
    made = lambda: invites.invite(partner=firm, actor="test", at=clock.now(), **given)  # noqa: E731
    if is_refused:
        with pytest.raises(arns.ArnEnded, match=r"ARN-12345 ended on .* nobody can be invited"):
            made()
        assert not Invite.objects.exists()
    else:
        assert made().pk


def test_a_link_of_before_works_again_once_the_arn_is_renewed(firm: Partner) -> None:
    row = factories.InviteFactory(partner=firm, secret_hash="f" * 64)
    assert invites.kept(row.secret_hash, at=clock.now())
    end(firm)
    assert invites.kept(row.secret_hash, at=clock.now()) is None
    with pytest.raises(arns.ArnEnded):
        invites.resend(invite_id=row.pk, actor="test", reason="", at=clock.now())
    end(firm, days_ago=-1)
    assert invites.kept(row.secret_hash, at=clock.now())


def asked(firm: Partner, investor: Any, kind: str, **more: Any) -> Any:
    """A request of the partner's from before the end, of somebody whom it looks after."""
    link(investor, firm)
    approval = factories.ApprovalFactory(investor=investor, partner=firm)
    factories.ApprovalLineFactory(investor=investor, approval=approval, kind=kind, **more)
    return approval


def test_what_was_asked_before_is_not_taken_up_and_the_page_says_why(firm: Partner, asha: Any, client_for: Any) -> None:
    approval = asked(firm, asha, ApprovalLine.Kind.PURCHASE)
    page = client_for(asha).get(f"/approvals/{approval.code}/").content.decode()
    assert 'name="buy"' in page
    end(firm)
    page = client_for(asha).get(f"/approvals/{approval.code}/").content.decode()
    assert "You can do it yourself" in page
    assert "Waiting for you" not in page
    assert 'name="buy"' not in page
    assert 'name="decline"' in page
    with pytest.raises(arns.ArnEnded, match="registration with AMFI ended"):
        approvals.to_cart(approval=approval, numbers=[0], at=clock.now())
    assert not approval.lines.filter(cart_line__isnull=False).exists()


def test_stopping_a_sip_goes_on(firm: Partner, asha: Any) -> None:
    plan = factories.PlanFactory(investor=asha)
    approval = asked(firm, asha, ApprovalLine.Kind.SIP_CANCEL, plan=plan, scheme=None, amount=None)
    end(firm)
    approvals.stop(approval=approval, number=0, at=clock.now())
    assert approval.lines.get().change


def test_the_console_shows_the_end_and_offers_no_form_that_would_be_refused(
    firm: Partner, client_for: Any, settings: Any
) -> None:
    settings.STAFF_SECOND_FACTOR = False
    browser = client_for(firm.members.get().user)
    assert "Your ARN ends soon" in browser.get(reverse("console:home")).content.decode()
    end(firm)
    for name in ("home", "investors"):
        page = browser.get(reverse(f"console:{name}")).content.decode()
        assert ("Your ARN has ended" in page) is (name == "home")
        assert f'href="{reverse("console:invite")}"' not in page
    page = browser.get(reverse("console:invite")).content.decode()
    assert "Nobody can be invited now" in page
    assert 'name="email"' not in page


def test_a_case_is_opened_once(firm: Partner) -> None:
    end(firm)
    for day in range(3):
        arns.watch(at=clock.now() + timedelta(days=day))
    assert Case.objects.get().state == "OPEN"
