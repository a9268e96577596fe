"""An investor goes to another partner: after fifteen days, with their own yes or by a second person."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from investors.models import FirmTransfer, InvestorTransfer, Transfer
from investors.operations import transfers
from portal import clock, roles
from portal.errors import InvalidInput
from portal.models import AuditEntry, Case
from portal.notices.models import Notice
from portal.scope import scope
from portal.webhooks import feed
from tests import factories
from tests.webhooks.test_events import commit

pytestmark = pytest.mark.django_db


@pytest.fixture
def maker():
    person = factories.UserFactory()
    roles.grant(person, roles.MAKER)
    return person


@pytest.fixture
def north(asha):
    """The partner that brought Asha, with somebody who works there."""
    member = factories.MemberFactory(partner__name="North Wealth")
    type(asha).objects.filter(pk=asha.pk).update(partner=member.partner, euin="E111111")
    asha.partner = member.partner
    return member


@pytest.fixture
def south():
    return factories.MemberFactory(partner__name="South Advisors", partner__euin="E222222")


@pytest.fixture
def row(asha, north, south, maker):
    return transfers.ask(investor=asha, to=south.partner, basis="Letter of 20 Nov", actor=maker, at=clock.now())


def over(row):
    return row.objections_until + timedelta(seconds=1)


@pytest.fixture
def agreed(row, asha):
    return transfers.agree(transfer_id=row.pk, actor=asha.user, at=clock.now())


def told(member):
    commit()
    return [event.type for event in feed.of_partner(member.partner_id).order_by("seq")]


def test_nothing_moves_before_the_time_is_over_and_then_it_does_by_itself(asha, north, south, row, agreed):
    assert row.objections_until - row.asked_at == timedelta(days=15)
    assert transfers.find_due(row.objections_until - timedelta(seconds=1)) == []
    transfers.advance(transfer_id=row.pk, at=row.objections_until - timedelta(seconds=1))
    asha.refresh_from_db()
    assert asha.partner == north.partner
    assert transfers.find_due(over(row)) == [row.pk]
    for _ in range(2):
        transfers.advance(transfer_id=row.pk, at=over(row))
    asha.refresh_from_db()
    row.refresh_from_db()
    assert (asha.partner, asha.euin, row.state) == (south.partner, "E222222", "DONE")
    assert transfers.find_due(over(row)) == []
    assert AuditEntry.objects.filter(action="investor.transferred").count() == 1


def test_without_the_investors_yes_a_second_person_looks(asha, north, south, row, maker):
    for _ in range(2):
        transfers.advance(transfer_id=row.pk, at=over(row))
    asha.refresh_from_db()
    assert asha.partner == north.partner
    assert transfers.find_due(over(row)) == []
    case = Case.objects.get(kind=transfers.UNANSWERED_CASE)
    with pytest.raises(transfers.OwnTransfer):
        transfers.carry_out(transfer_id=row.pk, actor=maker, reason="The letter is genuine", at=over(row))
    transfers.carry_out(transfer_id=row.pk, actor=factories.UserFactory(), reason="The letter is genuine", at=over(row))
    asha.refresh_from_db()
    case.refresh_from_db()
    assert (asha.partner, case.state) == (south.partner, "CLOSED")


def test_a_late_yes_is_carried_out_by_the_next_sweep(asha, south, row):
    transfers.advance(transfer_id=row.pk, at=over(row))
    transfers.agree(transfer_id=row.pk, actor=asha.user, at=over(row))
    assert transfers.find_due(over(row)) == [row.pk]
    transfers.advance(transfer_id=row.pk, at=over(row))
    asha.refresh_from_db()
    assert asha.partner == south.partner


def test_everybody_concerned_is_told_and_each_partner_by_its_own_events(asha, north, south, row, agreed):
    transfers.advance(transfer_id=row.pk, at=over(row))
    assert [each.event for each in Notice.objects.filter(user=asha.user).order_by("pk")] == [
        "transfer.asked",
        "transfer.done",
    ]
    for member in (north, south):
        assert Notice.objects.filter(user=member.user, event="transfer.firm").count() == 2
    assert told(north) == ["investor.linked", "transfer.waiting", "transfer.done"]
    assert told(south) == ["investor.linked"]


def test_an_objection_stops_the_clock_until_a_second_person_decides(asha, north, south, row, maker):
    transfers.agree(transfer_id=row.pk, actor=asha.user, at=clock.now())
    transfers.object_to(transfer_id=row.pk, partner=north.partner, why="Fees", actor=north.user, at=clock.now())
    case = Case.objects.get(kind=transfers.OBJECTED_CASE)
    assert "North Wealth objects" in case.title
    transfers.advance(transfer_id=row.pk, at=over(row))
    asha.refresh_from_db()
    assert asha.partner == north.partner
    checker = factories.UserFactory()
    with pytest.raises(transfers.OwnTransfer):
        transfers.carry_out(transfer_id=row.pk, actor=maker, reason="All is well", at=over(row))
    with pytest.raises(transfers.TooEarly):
        transfers.carry_out(transfer_id=row.pk, actor=checker, reason="All is well", at=clock.now())
    transfers.carry_out(transfer_id=row.pk, actor=checker, reason="The letter is genuine", at=over(row))
    asha.refresh_from_db()
    assert asha.partner == south.partner
    case.refresh_from_db()
    assert case.state == "CLOSED"
    with pytest.raises(transfers.TooLate):
        transfers.stop(transfer_id=row.pk, actor=checker, reason="Too late", at=over(row))


def test_only_the_partner_that_would_lose_them_objects_and_only_in_time(north, south, row):
    for partner, at in ((south.partner, clock.now()), (north.partner, over(row))):
        with pytest.raises(transfers.TooLate):
            transfers.object_to(transfer_id=row.pk, partner=partner, why="No", actor=south.user, at=at)


def test_the_investor_says_yes_and_no_on_their_own_page(asha, north, row, client_for):
    browser, page = client_for(asha), reverse("investors:transfer", args=[row.code])
    shown = browser.get(page).content.decode()
    assert "South Advisors" in shown
    assert "I do not want this" in shown
    browser.post(page, {"agree": "yes"})
    row.refresh_from_db()
    assert (row.state, bool(row.agreed_at)) == ("WAITING", True)
    shown = browser.get(page).content.decode()
    assert "Yes, I want this" not in shown
    assert "I do not want this" in shown, "until it is done they may think again"
    browser.post(page, {"refuse": "yes"})
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("STOPPED", asha.user)
    assert "I do not want this" not in browser.get(page).content.decode()
    transfers.advance(transfer_id=row.pk, at=over(row))
    asha.refresh_from_db()
    assert asha.partner == north.partner


def test_somebody_who_came_without_a_firm_reads_whole_sentences(chitra, south, maker, client_for):
    row = transfers.ask(investor=chitra, to=south.partner, basis="Letter of 20 Nov", actor=maker, at=clock.now())
    page = reverse("investors:transfer", args=[row.code])
    shown = client_for(chitra).get(page).content.decode()
    assert "instead of our own desk." in shown
    assert "Our own desk to South Advisors" in shown
    assert "Our own desk to South Advisors" in client_for(south.user).get(reverse("console:transfers")).content.decode()
    transfers.agree(transfer_id=row.pk, actor=chitra.user, at=clock.now())
    transfers.advance(transfer_id=row.pk, at=over(row))
    assert "South Advisors has looked after you since" in client_for(chitra).get(page).content.decode()


def test_both_partners_see_it_and_only_one_of_them_whose_it_is(asha, north, south, row, client_for):
    pages = {each: client_for(each.user).get(reverse("console:transfers")).content.decode() for each in (north, south)}
    assert asha.name in pages[north]
    assert f"/transfers/{row.code}/object/" in pages[north]
    assert row.code in pages[south]
    assert asha.name not in pages[south]
    assert asha.code not in pages[south]
    assert "/object/" not in pages[south]
    assert client_for(south.user).get(reverse("console:transfer_object", args=[row.code])).status_code == 404


def read_by(reader, table):
    """Everything that raw SQL on this reader's connection finds."""
    with scope(reader), connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return str(cursor.fetchall())


def test_below_the_views_each_firm_reads_only_what_is_for_it(asha, north, south, row, maker):
    transfers.object_to(
        transfer_id=row.pk, partner=north.partner, why="Fees of years", actor=north.user, at=clock.now()
    )
    transfers.stop(transfer_id=row.pk, actor=maker, reason="The letter is forged", at=clock.now())
    tables = {
        firm: read_by(f"partner:{firm.pk}", "investors_transfer") + read_by(f"partner:{firm.pk}", "v_firm_transfers")
        for firm in (north.partner, south.partner, factories.PartnerFactory())
    }
    before, coming, other = tables.values()
    words = ("Letter of 20 Nov", "The letter is forged", "Fees of years", asha.name, row.code)
    assert [word in before for word in words] == [False, False, True, True, True]
    assert [word in coming for word in words] == [False, False, False, False, True]
    assert other == "[][]"


def test_below_the_page_the_investor_reads_that_somebody_objected_and_nobodys_words(asha, chitra, north, row, maker):
    transfers.object_to(
        transfer_id=row.pk, partner=north.partner, why="Fees of years", actor=north.user, at=clock.now()
    )
    transfers.stop(transfer_id=row.pk, actor=maker, reason="The letter is forged", at=clock.now())
    hers, others = (
        read_by(f"user:{each.user_id}", "investors_transfer") + read_by(f"user:{each.user_id}", "v_investor_transfers")
        for each in (asha, chitra)
    )
    words = ("The letter is forged", "Fees of years", "Letter of 20 Nov", row.code)
    assert [word in hers for word in words] == [False, False, True, True]
    assert others == "[][]"
    with scope(f"user:{asha.user_id}"):
        assert InvestorTransfer.objects.get().objected_at


def test_a_partner_objects_in_the_console_with_words(north, south, row, client_for):
    browser, page = client_for(north.user), reverse("console:transfer_object", args=[row.code])
    browser.post(page, {"why": ""})
    assert "Say why they should stay with you." in browser.get(page).content.decode()
    browser.post(page, {"why": "We looked after them for years"})
    row.refresh_from_db()
    assert (row.state, row.objection) == ("OBJECTED", "We looked after them for years")
    listed = reverse("console:transfers")
    assert row.objection in browser.get(listed).content.decode()
    assert row.objection not in client_for(south.user).get(listed).content.decode(), "it may say much about somebody"
    again = browser.post(page, {"why": "Once more"}, follow=True)
    assert "Nothing was changed" in again.content.decode()


def act(browser, row, name, **form):
    page = reverse(f"admin:investors_{row._meta.model_name}_act", args=[row.pk, name])
    return browser.post(page, {"reason": "Letter of 20 November", **form})


def test_one_person_asks_in_the_admin_and_only_another_carries_it_out(asha, north, south, maker, client_for, at):
    asking, deciding = client_for(maker), factories.UserFactory()
    for role in (roles.MAKER, roles.CHECKER):
        roles.grant(deciding, role)
    roles.grant(maker, roles.CHECKER)
    unknown = act(asking, asha, "transfer", to="NOBODY")
    assert "No partner that works with us has this code." in unknown.content.decode()
    act(asking, asha, "transfer", to=south.partner.code.lower())
    row = Transfer.objects.get(investor=asha)
    assert (row.to_partner, row.basis, row.asked_by) == (south.partner, "Letter of 20 November", maker)
    at(over(row))
    assert act(client_for(maker), row, "carry_out").status_code == 403
    act(client_for(deciding), row, "carry_out")
    asha.refresh_from_db()
    assert asha.partner == south.partner


def test_one_at_a_time_and_to_another_firm(asha, north, south, row, maker):
    with pytest.raises(transfers.OneAtATime):
        transfers.ask(investor=asha, to=south.partner, basis="Again", actor=maker, at=clock.now())
    transfers.stop(transfer_id=row.pk, actor=maker, reason="Wrong person", at=clock.now())
    with pytest.raises(InvalidInput):
        transfers.ask(investor=asha, to=north.partner, basis="To where they are", actor=maker, at=clock.now())
    type(south.partner).objects.filter(pk=south.partner_id).update(is_active=False)
    south.partner.refresh_from_db()
    with pytest.raises(InvalidInput):
        transfers.ask(investor=asha, to=south.partner, basis="Gone", actor=maker, at=clock.now())


@pytest.mark.parametrize(
    "gone", [{"is_active": False}, {"arn": "ARN-123456", "arn_until": clock.today()}], ids=["left", "no ARN"]
)
def test_a_firm_that_may_bring_nobody_any_more_gets_nobody(asha, north, south, row, agreed, gone):
    type(south.partner).objects.filter(pk=south.partner_id).update(**gone)
    transfers.advance(transfer_id=row.pk, at=over(row))
    asha.refresh_from_db()
    row.refresh_from_db()
    assert (asha.partner, row.state) == (north.partner, "STOPPED")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"state": "DONE", "due_at": None, "agreed_at": clock.now()}, "before_the_time_for_objections"),
        ({"objections_until": clock.now()}, "never changes"),
        ({"state": "OBJECTED"}, "an_objection_is_on_record"),
        ({"state": "DONE", "state_since": clock.now() + timedelta(days=16)}, "yes_or_a_second_person"),
        ({"objection": "Fees", "objected_at": clock.now() + timedelta(days=16)}, "an_objection_is_made_in_time"),
    ],
    ids=["done early", "a shorter time", "an objection without words", "done on one person's word", "objected late"],
)
def test_the_database_holds_the_rules_too(row, change, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Transfer.objects.filter(pk=row.pk).update(**change)


def test_nobody_has_fewer_than_fifteen_days_to_object(asha):
    soon = clock.now() + timedelta(days=14)
    with pytest.raises(IntegrityError, match="fifteen_days"), transaction.atomic():
        factories.TransferFactory(investor=asha, objections_until=soon)


# --- words ------------------------------------------------------------------------------------------------------


def day(moment):
    return f"{moment.astimezone(clock.IST):%-d %b %Y}"


def read(browser, page):
    return html.unescape(browser.get(page).content.decode())


def test_the_page_says_what_is_true_of_each_state(asha, north, south, row, client_for, at):
    browser, page, until = client_for(asha), reverse("investors:transfer", args=[row.code]), day(row.objections_until)
    asked = read(browser, page)
    assert "If you say nothing, a second person here checks" in asked
    assert "North Wealth no longer will, and what it still asks of you ends" in asked
    transfers.agree(transfer_id=row.pk, actor=asha.user, at=clock.now())
    assert f"it is done on {until} unless North Wealth objects until then" in read(browser, page)
    transfers.object_to(transfer_id=row.pk, partner=north.partner, why="Fees", actor=north.user, at=clock.now())
    objected = read(browser, page)
    assert f"A person here decides, not before {until}" in objected
    assert "so it is done" not in objected
    at(over(row))
    transfers.carry_out(transfer_id=row.pk, actor=factories.UserFactory(), reason="A good letter", at=over(row))
    done = read(browser, page)
    assert f"South Advisors has looked after you since {day(over(row))}; before, North Wealth did." in done
    assert "North Wealth objected" in done
    assert "will then see" not in done
    type(asha).objects.filter(pk=asha.pk).update(partner=factories.PartnerFactory())
    assert f"South Advisors took over from North Wealth on {day(over(row))}." in read(browser, page)


def test_whoever_came_without_a_firm_is_not_told_that_we_see_them_no_more(asha, south, maker, client_for, at):
    row = transfers.ask(investor=asha, to=south.partner, basis="Letter", actor=maker, at=clock.now())
    shown = read(client_for(asha), reverse("investors:transfer", args=[row.code]))
    assert "may ask for your approval. Your units" in shown
    transfers.agree(transfer_id=row.pk, actor=asha.user, at=clock.now())
    agreed = read(client_for(asha), reverse("investors:transfer", args=[row.code]))
    assert f"it is done on {day(row.objections_until)}. Until it is done" in agreed
    transfers.advance(transfer_id=row.pk, at=over(row))
    text = Notice.objects.get(user=asha.user, event="transfer.done").text
    assert "no longer" not in text
    assert Notice.objects.get(user=south.user, about="done").text.startswith(
        "The investor came to you from our own desk"
    )


def test_each_firm_reads_its_own_side_with_the_days(asha, north, south, row, agreed):
    until = day(row.objections_until)
    transfers.object_to(transfer_id=row.pk, partner=north.partner, why="Fees", actor=north.user, at=clock.now())
    transfers.carry_out(transfer_id=row.pk, actor=factories.UserFactory(), reason="A good letter", at=over(row))
    since = day(over(row))
    texts = {
        (each.user, each.about): each.text
        for each in Notice.objects.filter(event="transfer.firm").select_related("user")
    }
    assert (
        f"to go to South Advisors, not before {until}. You can object" in texts[north.user, "time for objections runs"]
    )
    assert f"from North Wealth, not before {until}" in texts[south.user, "time for objections runs"]
    assert "Your objection is on record" in texts[north.user, "objected to"]
    assert texts[south.user, "objected to"].startswith(f"North Wealth objected on {day(clock.now())}")
    assert f"with South Advisors since {since}. You see them no longer" in texts[north.user, "done"]
    assert f"came to you from North Wealth on {since}" in texts[south.user, "done"]


def test_of_one_that_was_stopped_nobody_reads_that_something_moved(asha, north, south, row, maker, client_for):
    transfers.stop(transfer_id=row.pk, actor=maker, reason="Wrong person", at=clock.now())
    stopped = f"No investor goes from North Wealth to South Advisors: that was stopped on {day(clock.now())}."
    for member in (north, south):
        assert stopped in Notice.objects.get(user=member.user, about="stopped").text
        assert f"stopped on {day(clock.now())}" in read(client_for(member.user), reverse("console:transfers"))
    browser, page = client_for(asha), reverse("investors:transfer", args=[row.code])
    assert "You did not go from North Wealth to South Advisors" in read(browser, page)
    again = html.unescape(browser.post(page, {"refuse": "yes"}, follow=True).content.decode())
    assert "This was stopped before. You stay where you are." in again


def test_a_refusal_names_the_state_and_the_day(north, row, client_for, at):
    with pytest.raises(transfers.TooEarly, match=day(row.objections_until)):
        transfers.carry_out(transfer_id=row.pk, actor=factories.UserFactory(), reason="Now", at=clock.now())
    at(over(row))
    page = reverse("console:transfer_object", args=[row.code])
    said = html.unescape(client_for(north.user).get(page, follow=True).content.decode())
    assert f"The time for objections was over on {day(row.objections_until)}" in said
    assert "time for objections over since" in said


def test_a_partner_and_an_investor_read_their_own_and_write_nothing(asha, chitra, north, south, row):
    third = factories.PartnerFactory()
    for name, seen in {
        f"partner:{north.partner_id}": 1,
        f"partner:{south.partner_id}": 1,
        f"partner:{third.pk}": 0,
        f"user:{asha.user_id}": 1,
        f"user:{chitra.user_id}": 0,
    }.items():
        with scope(name):
            rows = FirmTransfer if name.startswith("partner") else InvestorTransfer
            assert rows.objects.count() == seen, name
            assert Transfer.objects.update(answer="mine") == 0, name
