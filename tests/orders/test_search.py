"""A fund is found by name, fund house, category, ISIN and AMFI code, also with a slip of the finger."""

import pytest
from django.test.utils import CaptureQueriesContext

from orders import search_words
from orders.models import FundHouse, Scheme
from orders.operations import search_index
from orders.queries import search
from orders.queries.search import Wanted
from tests.factories import FundHouseFactory, SchemeFactory

pytestmark = pytest.mark.django_db
NAMES = {
    "Parag Parikh Flexi Cap Fund - Regular Plan - Growth": ("PPFAS Mutual Fund", "Flexi Cap Fund"),
    "HDFC Balanced Advantage Fund - Growth Plan": ("HDFC Mutual Fund", "Dynamic Asset Allocation"),
    "HDFC Flexi Cap Fund - Growth Plan": ("HDFC Mutual Fund", "Flexi Cap Fund"),
    "SBI Blue Chip Fund - Regular Plan Growth": ("SBI Mutual Fund", "Large Cap Fund"),
    "Kotak Emerging Equity Scheme - Growth": ("Kotak Mahindra Mutual Fund", "Mid Cap Fund"),
    "Mirae Asset ELSS Fund - Regular Plan - Growth": ("Mirae Asset Mutual Fund", "ELSS"),
}


@pytest.fixture(autouse=True)
def _funds() -> None:
    houses = {name: FundHouseFactory(name=name) for name in {house for house, _ in NAMES.values()}}
    for name, (house, category) in NAMES.items():
        SchemeFactory(name=name, fund_house=houses[house], category=category)
    first = Scheme.objects.get(name__startswith="Parag")
    Scheme.objects.filter(pk=first.pk).update(isin="INF879O01019", amfi_code=122_640)
    hdfc = {"fund_house": houses["HDFC Mutual Fund"], "category": "Flexi Cap Fund"}
    SchemeFactory(name="HDFC Flexi Cap Fund - IDCW", option="IDCW_PAYOUT", **hdfc)
    SchemeFactory(name="HDFC Flexi Cap Fund - Direct Plan", plan="DIRECT", isin="INF179K01UT0", **hdfc)
    SchemeFactory(name="HDFC Flexi Cap Fund - Ended", is_active=False, **hdfc)
    search_index.build()


def names(text: str = "", **filters: object) -> list[str]:
    return [found.name for found in search.search(Wanted(text=text, **filters)).funds]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("parag parikh", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        ("PARAG  Flexi-cap", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        ("para", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        ("ppfas", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        ("mid cap", "Kotak Emerging Equity Scheme - Growth"),
        ("bluechip", "SBI Blue Chip Fund - Regular Plan Growth"),
        ("flexicap parag", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        ("tax saver", "Mirae Asset ELSS Fund - Regular Plan - Growth"),
        ("INF879O01019", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        ("inf879o", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        ("122640", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        # slips
        ("parag parik flexy cap", "Parag Parikh Flexi Cap Fund - Regular Plan - Growth"),
        ("hdfc balaned", "HDFC Balanced Advantage Fund - Growth Plan"),
        ("hdcf balanced", "HDFC Balanced Advantage Fund - Growth Plan"),
        ("kotak emergng eqity", "Kotak Emerging Equity Scheme - Growth"),
        ("balnced advant", "HDFC Balanced Advantage Fund - Growth Plan"),
    ],
)
def test_finds_what_was_meant(typed: str, first: str) -> None:
    assert names(typed)[:1] == [first]


@pytest.mark.parametrize("typed", ["zzzz", "parag zzzz", "'; drop table", "%", "a & | !", "\\", "x" * 300])
def test_finds_nothing_and_breaks_nothing(typed: str) -> None:
    assert set(names(typed)) <= set(NAMES) | {"HDFC Flexi Cap Fund - IDCW"}


def test_says_what_it_searched_for_instead() -> None:
    assert search.search(Wanted(text="hdfc balaned")).read_as == "hdfc balanced"
    assert search.search(Wanted(text="hdfc balanced")).read_as == ""


def test_growth_comes_before_idcw_and_what_is_not_sold_is_left_out() -> None:
    assert names("hdfc flexi") == ["HDFC Flexi Cap Fund - Growth Plan", "HDFC Flexi Cap Fund - IDCW"]


def test_direct_and_ended_schemes_are_shown_on_request_and_last() -> None:
    found = search.search(Wanted(text="hdfc flexi", everything=True)).funds
    assert [each.tier for each in found] == [0, 1, 2, 2]
    assert {each.name for each in found[2:]} == {"HDFC Flexi Cap Fund - Direct Plan", "HDFC Flexi Cap Fund - Ended"}


def test_an_isin_finds_even_what_is_not_sold() -> None:
    assert names("INF179K01UT0") == ["HDFC Flexi Cap Fund - Direct Plan"]


def test_filters() -> None:
    house = FundHouse.objects.get(name="HDFC Mutual Fund").pk
    assert names(fund_house=house, category="Flexi Cap Fund", option="GROWTH") == ["HDFC Flexi Cap Fund - Growth Plan"]
    assert names(asset_class="DEBT") == []
    assert len(names(asset_class="EQUITY")) == 7
    assert names("flexi", fund_house=house, option="IDCW_PAYOUT") == ["HDFC Flexi Cap Fund - IDCW"]


def test_choices_offer_what_is_for_sale() -> None:
    FundHouseFactory(name="Empty Mutual Fund")
    offered = search.choices()
    assert "ELSS" in offered.categories["EQUITY"]
    assert "Empty Mutual Fund" not in [name for _, name in offered.fund_houses]
    assert [name for _, name in offered.fund_houses] == sorted(name for _, name in offered.fund_houses)


@pytest.mark.parametrize("text", ["", "fund", "hdfc flexi"])
def test_pages_hold_each_fund_once_forwards_and_backwards(text: str) -> None:
    wanted = Wanted(text=text, everything=True)
    whole = [found.id for found in search.search(wanted, size=100).funds]
    pages = [search.search(wanted, size=2)]
    while pages[-1].after:
        pages.append(search.search(wanted, cursor=pages[-1].after, size=2))
    assert [found.id for page in pages for found in page.funds] == whole
    assert pages[0].before == ""
    for page, before in zip(pages[1:], pages, strict=False):
        assert search.search(wanted, cursor=page.before, size=2).funds == before.funds


@pytest.mark.parametrize("cursor", ["x", "W10=", "bnVsbA==", "WyJhIiwgMSwgInUiLCAiIiwgMF0=", "é"])
def test_a_foreign_cursor_is_the_first_page(cursor: str) -> None:
    assert search.search(Wanted(), cursor=cursor) == search.search(Wanted())


@pytest.mark.parametrize(
    ("text", "statements"), [("", 1), ("hdfc", 1), ("122640", 1), ("zzzz", 2), ("hdfc balaned", 3)]
)
def test_asks_the_database_at_most_three_times(text: str, statements: int, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(statements) as asked:
        assert isinstance(asked, CaptureQueriesContext)
        search.search(Wanted(text=text))


def test_the_index_is_built_once_and_follows_a_change() -> None:
    assert search_index.build() == 0
    Scheme.objects.filter(amfi_code=122_640).update(category="Value Fund")
    assert search_index.build() == 1
    assert names("parag value") == ["Parag Parikh Flexi Cap Fund - Regular Plan - Growth"]


# --- Words, without a database ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("hdfc", "hdfc", 0),
        ("hdcf", "hdfc", 1),
        ("balaned", "balanced", 1),
        ("flexy", "flexi", 1),
        ("kotak", "kotal", 1),
        ("sbi", "", 3),
        ("axis", "sixa", 3),
    ],
)
def test_distance_counts_slips(one: str, other: str, slips: int) -> None:
    assert search_words.distance(one, other) == search_words.distance(other, one) == slips


def test_codes_and_short_words_have_no_slips() -> None:
    known = [("sbi", 5), ("122640", 1), ("it", 3)]
    assert search_words.nearest("xq", known) == []
    assert search_words.nearest("122641", known) == []
    assert search_words.nearest("sbl", known) == ["sbi"]


def test_words_of_a_name() -> None:
    assert search_words.words("Parag Parikh's Flexi-Cap (formerly S&P 500)") == [
        "parag", "parikhs", "flexi", "cap", "formerly", "s", "p", "500",
    ]  # fmt: skip
    assert "'" not in search_words.document(name="O'Neil; 'x'", house="h", kinds="k", codes="c")
