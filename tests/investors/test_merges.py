"""One person with two logins: who may go into whom, what moves, and that money and the provider's ids stay true."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from investors.models import ErasureRequest, Investor, Merge, Transfer
from investors.operations import doubles, merges, transfers
from portal import audit, clock, roles
from portal.models import AuditEntry, Case, User
from tests import factories

pytestmark = pytest.mark.django_db
WHY = "Called from both addresses"


def person(role: str) -> User:
    user = factories.UserFactory()
    roles.grant(user, role)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def maker() -> User:
    return person(roles.MAKER)


@pytest.fixture
def checker() -> User:
    return person(roles.CHECKER)


@pytest.fixture
def kept() -> Investor:
    return factories.InvestorFactory(name="Asha Rao", mobile="9845012345", occupation="")


@pytest.fixture
def gone() -> Investor:
    """The same person's second attempt, with more in it."""
    investor = factories.InvestorFactory(
        name="Asha R", mobile="9845012345", given_pan="ASHPR3751C", occupation="DOCTOR"
    )
    factories.AddressFactory(investor=investor)
    factories.BankAccountFactory(investor=investor, provider_ref=None)
    factories.NomineeFactory(investor=investor)
    factories.DocumentFactory(investor=investor)
    factories.KycCheckFactory(investor=investor)
    return investor


def ask(kept: Investor, gone: Investor, actor: User) -> Merge:
    return merges.ask(kept=kept, gone=gone, actor=actor, reason=WHY, at=clock.now())


def approve(row: Merge, actor: User) -> Merge:
    return merges.approve(merge_id=row.pk, actor=actor, reason="Seen both papers", at=clock.now())


def whose(investor: Investor) -> dict[str, int]:
    related = ("addresss", "bankaccounts", "nominees", "documents", "kycchecks")
    return {name: getattr(investor, name).count() for name in related}


# --- what it does ------------------------------------------------------------------------------------------------


def test_asking_shows_everything_and_changes_nothing(kept, gone, maker):
    row = ask(kept, gone, maker)
    assert set(row.plan["moves"]) == {"address", "bankaccount", "nominee", "document"}
    assert row.plan["fills"] == ["occupation"]
    assert row.plan["takes_pan"]
    assert row.plan["conflicts"] == ["name: they differ; the kept one's stays"]
    assert "never changed" in row.plan["stays"]["kyccheck"][0]
    assert "ASHPR3751C" not in str(row.plan)
    assert whose(kept) == dict.fromkeys(whose(kept), 0)


def test_a_second_person_makes_them_one(kept, gone, maker, checker):
    approve(ask(kept, gone, maker), checker)
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert whose(kept) == {"addresss": 1, "bankaccounts": 1, "nominees": 1, "documents": 1, "kycchecks": 0}
    assert (kept.name, kept.occupation, kept.pan) == ("Asha Rao", "DOCTOR", "ASHPR3751C")
    assert kept.pan_index
    assert gone.pan_index is None
    assert whose(gone)["kycchecks"] == 1, "an answer of the registries stays with the login that asked"
    assert not User.objects.get(pk=gone.user_id).is_active
    assert User.objects.get(pk=kept.user_id).is_active
    actions = AuditEntry.objects.filter(action__startswith="investor.merged").order_by("id")
    assert list(actions.values_list("action", "subject_id", "actor")) == [
        ("investor.merged", str(kept.pk), f"user:{checker.pk}"),
        ("investor.merged_away", str(gone.pk), f"user:{checker.pk}"),
    ]


def test_what_the_kept_one_has_already_is_not_doubled(kept, gone, maker, checker):
    factories.AddressFactory(investor=kept, line1="1 Church Street")
    factories.NomineeFactory(investor=kept, name="Ravi Rao")
    factories.BankAccountFactory(investor=kept, provider_ref=None)
    approve(ask(kept, gone, maker), checker)
    assert kept.addresss.get().line1 == "1 Church Street"
    assert kept.nominees.get().name == "Ravi Rao"
    assert kept.bankaccounts.get().is_primary
    assert gone.bankaccounts.get().is_primary, "a second account is added by its owner, with a code"


def test_undoing_puts_everything_back(kept, gone, maker, checker):
    before = (whose(kept), whose(gone))
    row = approve(ask(kept, gone, maker), checker)
    for one in (maker, kept.user, gone.user):
        with pytest.raises(merges.SecondPerson):
            merges.undo(merge_id=row.pk, actor=one, reason="Two sisters", at=clock.now())
    merges.undo(merge_id=row.pk, actor=checker, reason="Two sisters", at=clock.now())
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert (whose(kept), whose(gone)) == before
    assert (kept.occupation, kept.pan, kept.pan_index) == ("", "", None)
    assert gone.pan_index
    assert User.objects.get(pk=gone.user_id).is_active


def test_undoing_leaves_each_with_the_bank_account_they_had(kept, gone, maker, checker):
    main = {}
    for one in (kept, gone):
        if one == kept:
            factories.BankAccountFactory(investor=kept, provider_ref=None)
        main[one] = one.bankaccounts.get(is_primary=True)
    row = approve(ask(kept, gone, maker), checker)
    merges.undo(merge_id=row.pk, actor=checker, reason="Two sisters", at=clock.now())
    assert {one: one.bankaccounts.get(is_primary=True) for one in main} == main


def test_undoing_gives_back_no_login_that_the_merge_did_not_take(kept, gone, maker, checker):
    """Switched off before the merge: for another reason, which the merge does not undo."""
    User.objects.filter(pk=gone.user_id).update(is_active=False)
    row = approve(ask(kept, gone, maker), checker)
    merges.undo(merge_id=row.pk, actor=checker, reason="Two sisters", at=clock.now())
    assert not User.objects.get(pk=gone.user_id).is_active


def test_undoing_gives_back_no_login_that_somebody_has_switched_off_since(kept, gone, maker, checker):
    row = approve(ask(kept, gone, maker), checker)
    roles.set_active(user=gone.user, active=False, actor=maker, reason="A thief has it", at=clock.now())
    merges.undo(merge_id=row.pk, actor=checker, reason="Two sisters", at=clock.now())
    assert not User.objects.get(pk=gone.user_id).is_active


def test_undoing_gives_back_no_login_that_was_erased_since(kept, gone, maker, checker):
    row = approve(ask(kept, gone, maker), checker)
    consent = factories.ConsentFactory(investor=gone, purpose="CHANGE")
    now = {"asked_at": clock.now(), "state_since": clock.now(), "done_at": clock.now()}
    ErasureRequest.objects.create(investor=gone, consent=consent, state="DONE", **now)
    merges.undo(merge_id=row.pk, actor=checker, reason="Two sisters", at=clock.now())
    assert not User.objects.get(pk=gone.user_id).is_active


def test_what_fp_knows_of_the_kept_one_is_not_taken_back(kept, maker, checker):
    only_columns = factories.InvestorFactory(name="", given_pan="ASHPR3751C", occupation="DOCTOR")
    row = approve(ask(kept, only_columns, maker), checker)
    assert row.plan["moves"] == {}
    Investor.objects.filter(pk=kept.pk).update(state="REGISTERING")
    with pytest.raises(merges.Refused):
        merges.undo(merge_id=row.pk, actor=checker, reason="Two sisters", at=clock.now())
    kept.refresh_from_db()
    assert (kept.pan, kept.occupation) == ("ASHPR3751C", "DOCTOR")


# --- what is refused, and why ------------------------------------------------------------------------------------


def test_whoever_fp_knows_never_goes(kept, maker, asha):
    with pytest.raises(merges.Refused, match="Merge the other way round"):
        ask(kept, asha, maker)


def test_two_investors_at_fp_stay_two(maker, asha, chitra):
    with pytest.raises(merges.Refused, match="FP knows both"):
        ask(asha, chitra, maker)


def test_two_pans_are_two_persons(gone, maker):
    with pytest.raises(merges.Refused, match="two PANs, two persons"):
        ask(factories.InvestorFactory(given_pan="CHTPN3751E"), gone, maker)


def test_what_money_hangs_on_is_never_moved(kept, gone, maker):
    factories.FolioFactory(investor=gone)
    with pytest.raises(merges.Refused, match="has folios"):
        ask(kept, gone, maker)


def test_a_ready_investor_gains_nothing_that_takes_their_own_code(asha, maker, checker):
    gone = factories.InvestorFactory(mobile=asha.mobile)
    factories.BankAccountFactory(investor=gone, provider_ref=None)
    paper = factories.DocumentFactory(investor=gone)
    before = asha.bankaccounts.count()
    row = approve(ask(asha, gone, maker), checker)
    assert row.plan["moves"] == {"document": [paper.pk]}
    assert asha.bankaccounts.count() == before
    asha.refresh_from_db()
    assert asha.provider_ref


def test_nobody_approves_what_they_proposed(kept, gone, maker, checker):
    row = ask(kept, gone, maker)
    for one in (maker, kept.user, gone.user):
        with pytest.raises(merges.SecondPerson):
            approve(row, one)
    with pytest.raises(IntegrityError, match="a_merge_is_decided_by_a_second_person"), transaction.atomic():
        Merge.objects.filter(pk=row.pk).update(state="REFUSED", decided_by=maker)


def test_what_has_changed_since_the_preview_is_not_merged(kept, gone, maker, checker):
    row = ask(kept, gone, maker)
    factories.DocumentFactory(investor=gone, kind="SIGNATURE")
    with pytest.raises(merges.PlanChanged):
        approve(row, checker)
    assert whose(kept)["documents"] == 0
    assert User.objects.get(pk=gone.user_id).is_active


def test_one_merge_at_a_time_takes_an_investor_away(kept, gone, maker):
    ask(kept, gone, maker)
    with pytest.raises(merges.Refused, match="open or done already"):
        ask(factories.InvestorFactory(), gone, maker)


def test_the_database_itself_keeps_what_the_provider_knows(kept, asha, maker, checker):
    row = Merge.objects.create(kept=kept, gone=asha, digest="0", asked_by=maker, asked_at=clock.now(), reason=WHY)
    with pytest.raises(IntegrityError, match="a merge keeps what the provider knows"), transaction.atomic():
        Merge.objects.filter(pk=row.pk).update(state="APPLIED", decided_by=checker)


def test_whoever_was_merged_away_stays_away(kept, gone, maker, checker):
    approve(ask(kept, gone, maker), checker)
    with pytest.raises(IntegrityError, match="stays away"), transaction.atomic():
        Investor.objects.filter(pk=gone.pk).update(provider_ref="123")


# --- finding them ------------------------------------------------------------------------------------------------


def test_candidates_share_a_pan_a_mobile_or_an_account(kept, gone):
    third = factories.InvestorFactory(mobile="9811111111")
    account = factories.BankAccountFactory(investor=third)
    account.set_number(gone.bankaccounts.get().number)
    account.save()
    factories.InvestorFactory(mobile="9822222222")
    assert doubles.candidates(gone) == [(kept, "the same mobile number"), (third, "the same bank account")]
    typed = factories.InvestorFactory(mobile="")
    typed.pan = gone.pan
    typed.save()
    assert doubles.candidates(typed) == [(gone, "the same PAN")]


@pytest.mark.parametrize("whose_is_said_by", ["kept", "gone"])
def test_a_number_that_a_family_shares_is_no_sign_of_one_person(whose_is_said_by, kept, gone):
    said = {"kept": kept, "gone": gone}[whose_is_said_by]
    Investor.objects.filter(pk=said.pk).update(mobile_is_of="SPOUSE")
    gone.refresh_from_db()
    assert doubles.candidates(gone) == []


def test_a_likely_double_becomes_a_case_and_one_who_is_alone_none(kept, gone):
    doubles.report(gone, clock.now())
    doubles.report(factories.InvestorFactory(mobile="9822222222"), clock.now())
    case = Case.objects.get(kind=doubles.CASE)
    assert case.subject_id == str(gone.pk)
    assert kept.code in case.detail


# --- in the admin ------------------------------------------------------------------------------------------------


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_from_the_investors_page_to_one_investor(kept, gone, maker, checker):
    client = browser(maker)
    page = reverse("admin:investors_investor_change", args=[kept.pk])
    assert gone.code in str([each.rows for each in client.get(page).context["panels"]]) or "Asha R" in str(
        client.get(page).content
    )
    asked = reverse("admin:investors_investor_act", args=[kept.pk, "merge"])
    assert client.post(asked, {"other": "INV-NOBODY", "reason": WHY}).status_code == 422
    client.post(asked, {"other": gone.code.lower(), "reason": WHY})
    row = Merge.objects.get()
    preview = browser(checker).get(reverse("admin:investors_merge_change", args=[row.pk])).content.decode()
    for words in (
        "bank accounts: ",
        "addresses: ",
        "occupation",
        "they differ",
        "never changed",
        "differs",
        "Here since",
    ):
        assert words in preview, words
    deciding = reverse("admin:investors_merge_act", args=[row.pk, "approve"])
    assert client.post(deciding, {"reason": WHY}).status_code == 403
    browser(checker).post(deciding, {"reason": WHY})
    row.refresh_from_db()
    assert row.state == "APPLIED"
    assert audit.entries_of(row).filter(action="merge.applied").exists()


def test_a_merge_that_is_refused_says_why_on_the_page(kept, asha, maker):
    asked = reverse("admin:investors_investor_act", args=[kept.pk, "merge"])
    answer = browser(maker).post(asked, {"other": asha.code, "reason": WHY}, follow=True)
    assert "Merge the other way round" in answer.content.decode()
    assert not Merge.objects.exists()


# --- which firm they belong to ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["WAITING", "OBJECTED"])
def test_who_is_to_go_to_another_firm_is_merged_away_only_afterwards(state, kept, gone, maker, checker):
    objected = {"objection": "Fees", "objected_at": clock.now()} if state == "OBJECTED" else {}
    row = factories.TransferFactory(investor=gone, to_name="South Advisors", state=state, **objected)
    with pytest.raises(merges.Refused, match=rf"to go to South Advisors \({row.code}\). Stop that"):
        ask(kept, gone, maker)
    transfers.stop(transfer_id=row.pk, actor=maker, reason="Two logins of one person", at=clock.now())
    approve(ask(kept, gone, maker), checker)
    row.refresh_from_db()
    assert (row.investor, row.state) == (gone, "STOPPED"), "what was asked for stays on record where it was asked"


def test_a_transfer_that_began_after_the_preview_stands_in_the_way(kept, gone, maker, checker):
    plan = ask(kept, gone, maker)
    factories.TransferFactory(investor=gone)
    with pytest.raises(merges.PlanChanged):
        approve(plan, checker)


def test_the_transfers_of_both_stay_on_record_and_an_open_one_of_the_kept_one_goes_on(kept, gone, maker, checker):
    began = clock.now() - timedelta(days=20)
    done = {"asked_at": began, "state": "DONE", "state_since": clock.now(), "agreed_at": began, "due_at": None}
    rows = [factories.TransferFactory(investor=each, **done) for each in (kept, gone)]
    going = factories.TransferFactory(investor=kept, agreed_at=clock.now())
    plan = ask(kept, gone, maker)
    assert plan.plan["stays"]["transfer"] == [
        "1 transfer: to which firm that login went, or did not, stays on record with it"
    ]
    approve(plan, checker)
    assert [Transfer.objects.get(pk=row.pk).investor for row in rows] == [kept, gone]
    transfers.advance(transfer_id=going.pk, at=going.objections_until)
    kept.refresh_from_db()
    assert kept.partner == going.to_partner
