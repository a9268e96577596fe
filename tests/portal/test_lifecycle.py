"""The lifecycle table and the two questions asked of it."""

from __future__ import annotations

import pytest

from investors.lifecycle import REGISTRATION
from orders.lifecycle import PURCHASE
from payments.lifecycle import PAYMENT
from portal.lifecycle import Lifecycle, Verdict

TABLE = Lifecycle({"NEW": ("SENT", "DEAD"), "SENT": ("DONE", "DEAD"), "DONE": ("UNDONE",), "DEAD": (), "UNDONE": ()})
ALL = [REGISTRATION, *PURCHASE.values(), PAYMENT]


def test_allows_only_the_listed_step():
    assert TABLE.allows("NEW", "SENT")
    assert not TABLE.allows("NEW", "DONE")
    assert not TABLE.allows("SENT", "NEW")


@pytest.mark.parametrize(
    ("state", "news", "verdict"),
    [
        ("SENT", "SENT", Verdict.REPEAT),
        ("NEW", "DONE", Verdict.APPLY),
        ("DONE", "SENT", Verdict.STALE),
        ("DEAD", "DONE", Verdict.CONFLICT),
        ("DONE", "DEAD", Verdict.CONFLICT),
        ("NEW", "UNDONE", Verdict.APPLY),
    ],
)
def test_judges_news_by_reachability(state, news, verdict):
    assert TABLE.judge(state, news) is verdict


def test_walks_the_steps_that_nobody_told_us_of():
    assert TABLE.path("NEW", "DONE") == ("SENT", "DONE")
    assert TABLE.path("DEAD", "DONE") == ()


def test_refuses_a_table_with_a_loop():
    with pytest.raises(ValueError, match="loop"):
        Lifecycle({"A": ("B",), "B": ("A",)})


def test_refuses_a_step_into_an_unknown_state():
    with pytest.raises(ValueError, match="NOWHERE"):
        Lifecycle({"A": ("NOWHERE",)})


@pytest.mark.parametrize("table", ALL)
def test_never_lets_news_move_a_row_backwards(table):
    """For every pair: what is applied leads forward, and nothing can be applied in both directions."""
    for state in table.states:
        for news in table.states:
            if table.judge(state, news) is Verdict.APPLY:
                assert table.path(state, news)
                assert table.judge(news, state) is Verdict.STALE


@pytest.mark.parametrize("table", ALL)
def test_leaves_a_final_state_for_no_news_at_all(table):
    for state in table.final:
        assert all(table.judge(state, news) is not Verdict.APPLY for news in table.states)
