"""Who is perhaps one person: what is found in common, what is no sign, and that told apart stays told apart."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from investors.alike import names_agree
from investors.models import DoubleAnswer, Investor, PossibleDouble
from investors.operations import double_search, doubles, merges
from portal import audit, clock, roles
from portal.models import Case, User
from tests import factories

pytestmark = pytest.mark.django_db
WHY = "Two sisters with one telephone"
BORN = date(1990, 5, 17)


@pytest.fixture
def desk() -> User:
    user = factories.UserFactory()
    roles.grant(user, roles.MAKER)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def checker() -> User:
    user = factories.UserFactory()
    roles.grant(user, roles.CHECKER)
    return User.objects.get(pk=user.pk)


def person(email: str = "", **values) -> Investor:
    return factories.InvestorFactory(**values, **({"user__email": email} if email else {}))


def search() -> set[tuple[Investor, Investor, str]]:
    """What waits in the queue once everybody was looked at."""
    double_search.find_all(at=clock.now())
    waiting = PossibleDouble.objects.filter(state="OPEN").select_related("one", "other")
    return {(row.one, row.other, " ".join(row.signs)) for row in waiting}


def with_account(investor: Investor, number: str, **values) -> Investor:
    account = factories.BankAccountFactory(investor=investor, provider_ref=None, **values)
    account.set_number(number)
    account.save()
    return investor


@pytest.fixture
def pair() -> PossibleDouble:
    person(mobile="9845012345"), person(mobile="9845012345")
    search()
    return PossibleDouble.objects.get()


# --- what they have in common -----------------------------------------------------------------------------------


def test_who_has_nothing_in_common_is_no_pair():
    person(name="Asha Rao", date_of_birth=BORN, mobile="")
    person(name="Chitra Nair", date_of_birth=BORN, mobile="")
    person(name="Asha Rao", date_of_birth=BORN + timedelta(days=1), mobile="")
    assert search() == set()


def test_two_with_one_mobile_number_are_a_pair():
    one, other = person(mobile="9845012345"), person(mobile="9845012345")
    person(mobile="9845012345", isd_code="971")
    assert search() == {(one, other, "MOBILE")}


def test_two_who_have_nearly_the_same_address_are_a_pair():
    one = person("Asha.Rao@gmail.com")
    other = person("asharao+funds@googlemail.com")
    person("asharao@example.org")
    assert search() == {(one, other, "EMAIL")}


def test_two_with_one_bank_account_are_a_pair_until_it_is_closed():
    one, other = with_account(person(), "50100123456789"), with_account(person(), "50100123456789")
    assert search() == {(one, other, "ACCOUNT")}
    other.bankaccounts.update(closed_at=clock.now(), is_primary=False)
    assert search() == set()
    assert PossibleDouble.objects.get().state == "GONE"


def test_two_of_one_birthday_with_a_similar_name_are_a_pair():
    one, other = (person(name=name, date_of_birth=BORN) for name in ("Lakshmi Rao", "RAO Laxmi"))
    assert search() == {(one, other, "BORN")}


def test_who_typed_the_pan_that_somebody_has_is_a_pair_with_them(asha):
    typed, again = person(mobile=""), person(mobile="")
    for each in (typed, again):
        each.pan = asha.pan
        each.save()
    assert search() == {(asha, typed, "PAN"), (asha, again, "PAN"), (typed, again, "PAN")}


def test_everything_in_common_stands_in_one_row():
    values = {"mobile": "9845012345", "date_of_birth": BORN}
    one, other = person(name="Asha Rao", **values), person(name="Asha R", **values)
    assert search() == {(one, other, "MOBILE BORN")}


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Asha Rao", "ASHA RAO", True),
        ("Asha Rao", "Rao, Asha", True),
        ("A Rao", "Asha Rao", True),
        ("Asha Rao", "Asha Devi Rao", True),
        ("Geeta Shrivastava", "Gita Srivastava", True),
        ("Amit Kumar", "Anil Kumar", False),
        ("A A Rao", "Asha Devi Rao", False),
        ("Asha Rao", "Asha Nair", False),
        ("Asha Rao", "", False),
        ("A R", "Asha Rao", True),
    ],
)
def test_similar_names(one, other, agree):
    assert names_agree(one, other) is agree
    assert names_agree(other, one) is agree


# --- what is no sign --------------------------------------------------------------------------------------------


def test_two_pans_are_two_persons():
    factories.ReadyInvestorFactory(mobile="9845012345"), factories.ReadyInvestorFactory(mobile="9845012345")
    assert search() == set()


@pytest.mark.parametrize("column", ["mobile_is_of", "email_is_of"])
def test_what_is_said_to_be_somebody_elses_is_no_sign(column):
    same = {"mobile": "9845012345"} if column == "mobile_is_of" else {"mobile": ""}
    person("asharao@gmail.com", **same, **{column: "SPOUSE"})
    person("asha.rao@gmail.com" if column == "email_is_of" else "bharat@gmail.com", **same)
    assert search() == set()


def test_a_minor_shares_with_a_guardian_what_is_the_guardians():
    guardian = with_account(person(mobile="9845012345"), "50100123456789")
    for name in ("Meera Rao", "Arjun Rao"):
        child = person(user=guardian.user, kind="MINOR", mobile="9845012345", name=name, date_of_birth=BORN)
        with_account(child, "50100123456789")
    assert search() == set()


def test_who_was_merged_away_is_in_no_pair_until_that_is_undone(pair, desk, checker):
    kept, gone = merges.kept_first(pair.one, pair.other)
    row = merges.ask(kept=kept, gone=gone, actor=desk, reason=WHY, at=clock.now())
    merges.approve(merge_id=row.pk, actor=checker, reason=WHY, at=clock.now())
    pair.refresh_from_db()
    assert pair.state == "GONE"
    assert search() == set()
    merges.undo(merge_id=row.pk, actor=checker, reason=WHY, at=clock.now())
    assert search() == {(pair.one, pair.other, "MOBILE")}


def test_a_merge_that_comes_between_search_and_queue_counts(pair, desk, checker):
    """The search has found them, and then they are merged."""
    kept, gone = merges.kept_first(pair.one, pair.other)
    row = merges.ask(kept=kept, gone=gone, actor=desk, reason=WHY, at=clock.now())
    merges.approve(merge_id=row.pk, actor=checker, reason=WHY, at=clock.now())
    doubles.settle((pair.one_id, pair.other_id), ["MOBILE"], at=clock.now())
    pair.refresh_from_db()
    assert (pair.state, pair.signs) == ("GONE", [])


# --- the search is cheap ----------------------------------------------------------------------------------------


def test_a_search_costs_the_same_however_many_there_are_and_writes_what_is_new():
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            double_search.find_all(at=clock.now())
        return len(captured)

    for number in range(4):
        person(mobile=f"984501234{number % 2}")
    double_search.find_all(at=clock.now())
    few = asked()
    for number in range(6):
        person(mobile=f"985501234{number}")
    assert asked() == few


def test_a_number_that_an_office_gives_for_everybody_makes_no_square_of_pairs():
    for _ in range(double_search.FIRST + 5):
        person(mobile="9845012345")
    assert len(search()) == 7 + 6 + 5


# --- told apart -------------------------------------------------------------------------------------------------


def tell_apart(pair: PossibleDouble, actor: User) -> PossibleDouble:
    return doubles.tell_apart(double_id=pair.pk, actor=actor, reason=WHY, at=clock.now())


def test_two_persons_stay_two_and_it_is_on_record_who_said_so(pair, desk):
    assert tell_apart(pair, desk).state == "APART"
    assert search() == set()
    answer = DoubleAnswer.objects.get()
    assert (answer.by, answer.reason, answer.is_apart, answer.signs) == (desk, WHY, True, ["MOBILE"])
    assert audit.entries_of(pair).get(action="double.told_apart").reason == WHY
    for each in (pair.one, pair.other):
        assert audit.entries_of(each).filter(action="investor.told_apart").exists()


def test_it_can_be_taken_back_and_both_answers_stay(pair, desk, checker):
    tell_apart(pair, desk)
    doubles.look_again(double_id=pair.pk, actor=checker, reason="She called: one person", at=clock.now())
    assert search() == {(pair.one, pair.other, "MOBILE")}
    assert list(DoubleAnswer.objects.order_by("id").values_list("is_apart", "by")) == [
        (True, desk.pk),
        (False, checker.pk),
    ]


def test_something_new_in_common_brings_them_back(pair, desk):
    tell_apart(pair, desk)
    for each in (pair.one, pair.other):
        with_account(each, "50100123456789")
    assert search() == {(pair.one, pair.other, "MOBILE ACCOUNT")}
    answer = DoubleAnswer.objects.order_by("-id")[0]
    assert (answer.by, answer.reason) == (None, "New in common: the same bank account.")
    tell_apart(pair, desk)
    assert search() == set()


def test_less_in_common_than_before_brings_nobody_back(pair, desk):
    tell_apart(pair, desk)
    Investor.objects.filter(pk=pair.one_id).update(mobile="9811111111")
    assert search() == set()
    Investor.objects.filter(pk=pair.one_id).update(mobile="9845012345")
    assert search() == set()
    pair.refresh_from_db()
    assert (pair.state, pair.signs) == ("APART", ["MOBILE"])


def test_one_answers_once_and_nobody_about_themselves(pair, desk):
    for each in (pair.one, pair.other):
        with pytest.raises(doubles.AboutOneself):
            tell_apart(pair, each.user)
    tell_apart(pair, desk)
    with pytest.raises(doubles.AlreadyAnswered):
        tell_apart(pair, desk)
    assert DoubleAnswer.objects.count() == 1


def test_a_case_about_two_who_were_told_apart_closes_and_is_not_opened_again(pair, desk):
    doubles.report(pair.other, clock.now())
    assert Case.objects.get(kind=doubles.CASE).state == "OPEN"
    tell_apart(pair, desk)
    assert Case.objects.get(kind=doubles.CASE).state != "OPEN"
    doubles.report(pair.other, clock.now())
    assert not Case.objects.filter(kind=doubles.CASE, state="OPEN").exists()


def test_a_case_that_names_somebody_else_too_stays_open(pair, desk):
    person(mobile="9845012345")
    doubles.report(pair.other, clock.now())
    tell_apart(pair, desk)
    assert Case.objects.get(kind=doubles.CASE).state == "OPEN"


# --- what the database keeps ------------------------------------------------------------------------------------


def test_nothing_but_an_answer_tells_two_apart(pair, desk):
    with pytest.raises(IntegrityError, match="told apart by an answer"), transaction.atomic():
        PossibleDouble.objects.update(state="APART")
    tell_apart(pair, desk)
    for state in ("OPEN", "GONE"):
        with pytest.raises(IntegrityError, match="told apart by an answer"), transaction.atomic():
            PossibleDouble.objects.update(state=state)


def test_an_answer_is_never_changed_or_deleted(pair, desk):
    tell_apart(pair, desk)
    for change in (lambda: DoubleAnswer.objects.update(reason="Other words"), DoubleAnswer.objects.all().delete):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"is_apart": True, "by": None, "reason": WHY}, "only_a_person_tells_two_apart"),
        ({"is_apart": False, "by": None, "reason": ""}, "an_answer_about_two_has_a_reason"),
    ],
)
def test_an_answer_has_somebody_and_a_reason(pair, values, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        DoubleAnswer.objects.create(double=pair, at=clock.now(), **values)


def test_a_pair_is_there_once_and_has_something_in_common(pair):
    for name, values in (
        ("two_investors_are_a_pair_once", {"one": pair.one, "other": pair.other, "signs": ["PAN"]}),
        ("a_pair_is_written_in_one_order", {"one": pair.other, "other": pair.one, "signs": ["PAN"]}),
        ("a_pair_to_be_looked_at_has_something_in_common", {"one": pair.one, "other": person(), "signs": []}),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            PossibleDouble.objects.create(found_at=clock.now(), **values)
