"""What all providers share at the border: exact numbers, folded keys, words, HTTP's own verdicts."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from portal.gateway import errors, wire
from portal.gateway.transport import Request, Response

PING = Request("GET", "/ping")


@given(st.decimals(min_value=0, max_value=10**9, places=4))
def test_a_price_is_sent_digit_for_digit(price):
    assert Decimal(json.dumps(wire.number(price))) == price


@pytest.mark.parametrize("value", ["NaN", "Infinity", "123456789012345678.05", "0.12345678901234567890"])
def test_a_number_that_json_would_not_carry_is_not_sent(value):
    with pytest.raises(ValueError, match="number"):
        wire.number(Decimal(value))


def test_keys_are_one_without_case_and_underscores():
    assert wire.fold({"BrokerOrderID": 1, "Broker_Order_Id": 1}) == {"brokerorderid": 1}


def test_two_spellings_that_disagree_are_not_read():
    with pytest.raises(ValueError, match="two values"):
        wire.fold({"Status": 0, "status": 2})


class Colour(wire.Word):
    """A word for this test."""

    RED = "Dark Red"
    UNKNOWN = "UNKNOWN"


@pytest.mark.parametrize(("word", "found"), [("dark_red", Colour.RED), ("blue", Colour.UNKNOWN), ("", Colour.UNKNOWN)])
def test_words_are_read_by_their_letters(word, found):
    assert Colour(word) is found


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"timed out", None),
        (204, b"", None),
        (400, b"bad", None),
        (409, b"Request Timed Out", errors.OutcomeUnknown),
        (401, b"", errors.NotAuthorised),
        (403, b"", errors.NotAuthorised),
        (429, b"", errors.Throttled),
        (418, b"", errors.Garbled),
        (302, b"", errors.Garbled),
        (100, b"", errors.Garbled),
        (500, b"", errors.OutcomeUnknown),
        (599, b"", errors.OutcomeUnknown),
    ],
)
def test_http_itself_says_only_so_much(status, body, outcome):
    found = wire.trouble_of_http("x", PING, Response(status, {}, body))
    assert (type(found) if found else None) is outcome


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("", 5.0), ("soon", 5.0), ("999999", 600.0), ("²", 5.0)])
def test_waits_as_told_within_reason(header, seconds):
    assert wire.retry_after_s(Response(429, {"Retry-After": header}, b"")) == seconds


class Priced(wire.FoldedMessage):
    """A message for this test."""

    price: wire.Amount
    average: wire.MaybeAmount = None


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("431.05", "431.05"),
        ("7", "7"),
        ('" 12.50 "', "12.50"),
        ("431.05333333333334", "431.053333"),
        ("-3.1E+2", "-310"),
        ("999999999999999.999999", "999999999999999.999999"),
    ],
)
def test_an_amount_is_read_digit_for_digit_but_for_a_tail(said, read):
    found = wire.read_as(Priced, "x", PING, Response(200, {}, b'{"Price": %s}' % said.encode()).json())
    assert found.price == Decimal(read)


@pytest.mark.parametrize("said", ["true", '""', "null", '"NaN"', '"Infinity"', "1E+15", "1E+999999", '"x"', "[]", "{}"])
def test_what_is_no_real_amount_is_not_read(said):
    with pytest.raises(errors.Garbled, match="price"):
        wire.read_as(Priced, "x", PING, Response(200, {}, b'{"Price": %s}' % said.encode()).json())


@pytest.mark.parametrize("said", ["null", '""'])
def test_an_average_may_be_missing(said):
    assert Priced(price=1, average=json.loads(said)).average is None


def test_strange_keys_are_not_remembered():
    wire.fold({f"k{number}": 0 for number in range(wire.MOST_KEYS + 1)})
    wire.fold({"k" * (wire.MOST_LETTERS + 1): 0})
    assert all(len(given) <= wire.MOST_KEYS and sum(map(len, given)) <= wire.MOST_LETTERS for given in wire._usual)
    for number in range(2 * wire.MOST_USUAL):
        assert wire.fold({f"Key_{number}": number}) == {f"key{number}": number}
    assert len(wire._usual) <= wire.MOST_USUAL


# --- rows: read as they are spelled, or folded ---------------------------------------------------------------------


class Line(wire.RowMessage):
    """One of many, for this test."""

    order_id: wire.Code
    isin: wire.Text = ""
    rate: wire.MaybeAmount = Field(default=None, validation_alias=wire.either("TriggerRate", "SLTriggerRate"))


LINE = {"OrderID": 7, "ISIN": "INE154A01025", "TriggerRate": 1, "SLTriggerRate": 2, "Other": 3}


def spellings(name: str) -> st.SearchStrategy[str]:
    """A key with any of its letters in the other case, and underscores between them."""
    return st.tuples(*(st.sampled_from([c.lower(), c.upper(), f"_{c}"]) for c in name)).map("".join)


@given(st.fixed_dictionaries({name: spellings(name) for name in LINE}), st.permutations(list(LINE)))
def test_a_row_is_the_same_however_its_keys_are_spelled_and_ordered(spelt, order):
    said = {spelt[name]: LINE[name] for name in order}
    for _ in range(2):
        assert (
            Line.model_validate(said)
            == Line.model_validate(LINE)
            == Line(OrderID="7", ISIN=LINE["ISIN"], TriggerRate=1)
        )


@pytest.fixture
def unspelled(monkeypatch):
    """Only so many spellings are remembered of a message, and other tests have spelled a line in any way."""
    monkeypatch.setattr(Line, "_usual", set())
    monkeypatch.setattr(wire, "_usual", {})


@pytest.mark.usefixtures("unspelled")
def test_a_row_that_is_spelled_as_usual_is_not_folded(monkeypatch):
    Line.model_validate(LINE)
    monkeypatch.setattr(wire, "fold", lambda _: pytest.fail("folded"))
    assert Line.model_validate(dict(LINE)).order_id == "7"


@pytest.mark.parametrize("key", ["orderid", "order_id", "OrderId", "ORDERID"])
def test_a_row_with_two_spellings_that_disagree_is_not_read(key):
    Line.model_validate({"OrderID": 7, key: 7})
    with pytest.raises(ValueError, match="two values"):
        Line.model_validate({"OrderID": 7, key: 8})
    assert Line.model_validate({"OrderID": 7, key: 7}).order_id == "7"


@pytest.mark.parametrize("key", ["slTriggerRate", "triggerrate", "TRIGGER_RATE"])
def test_a_key_that_only_looks_like_none_of_ours_is_read(key):
    assert Line.model_validate({"OrderID": 1, key: "2.50"}).rate == Decimal("2.50")


@pytest.mark.parametrize(("said", "read"), [(7, "7"), ("007", "007"), (10**11, "100000000000"), (10**12, str(10**12))])
def test_a_code_is_text_however_it_comes(said, read):
    assert Line(OrderID=said).order_id == read


@pytest.mark.usefixtures("unspelled")
@pytest.mark.parametrize("said", [True, 1.5, Decimal("1.5"), [], {}])
def test_what_is_no_code_is_not_read(said):
    Line.model_validate({"OrderID": 1})  # keys that were seen before are named as they came
    with pytest.raises(ValueError, match="OrderID"):
        Line(OrderID=said)


def test_strange_keys_of_rows_are_not_remembered():
    for number in range(2 * wire.MOST_USUAL):
        Line.model_validate({"OrderID": 1, f"Key_{number}": number})
    Line.model_validate({"OrderID": 1, **{f"k{number}": 0 for number in range(wire.MOST_KEYS + 1)}})
    assert len(Line._usual) <= wire.MOST_USUAL
    assert all(len(given) <= wire.MOST_KEYS for given in Line._usual)
