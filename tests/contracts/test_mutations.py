"""Twenty thousand spoilt answers: a client makes of each a typed message or one of the six errors, and invents nothing.

Nothing is misread as success: an answer whose own mark of success is gone is none; no status outside 2xx is an answer;
and every word, number and identifier in a message stands in the answer that it was read from. Hypothesis draws them,
from the same seeds every time, which each sample prints; `MUTATIONS_SEED=1` draws others, `MUTATIONS=200000` ten times
as many. What it finds is brought down to the fewest edits that show it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from portal.fintech_primitives.messages.payments import BankPage
from portal.gateway import errors, wire
from tests.contracts import answers, endpoints, mutations
from tests.contracts.answers import CALLS, Sample, hears, listening

MUTATIONS, SEED = int(os.environ.get("MUTATIONS", "20000")), os.environ.get("MUTATIONS_SEED", "0")
PROVIDERS = ("fp", "smallcase", "odin", "5paisa")
ALL = [sample for provider in PROVIDERS for sample in answers.samples(provider)]
SHARE = -(-MUTATIONS // len(ALL))
# A spoilt answer mostly comes with its own status; now and then with that of another answer.
STATUSES = (200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503)
OWN_STATUS = 9 * len(STATUSES)
# Every run draws the same: nothing is kept of one run for the next, and a slow machine finds no less.
DRAWN = settings(
    phases=[Phase.generate, Phase.shrink], database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


# --- read by hand, not by the client --------------------------------------------------------------------------------


def under(value: Any, name: str) -> list[Any]:
    """What stands under a key, however it is spelt."""
    found = value.items() if isinstance(value, dict) else ()
    return [each for key, each in found if str(key).replace("_", "").lower() == name]


def calls_itself_success(provider: str, body: Any) -> bool:
    """Does the answer of a broker still say that it is one? FP says it by its status alone."""
    if provider in ("smallcase", "odin"):
        return any(each is True for each in under(body, "success")) or bool(under(body, "jordermessage"))
    if provider == "5paisa":
        heads = [status for head in under(body, "head") for status in under(head, "status")]
        bodies = [status for inner in under(body, "body") for status in under(inner, "status")]
        nought = all(str(each).strip() == "0" for each in (*heads, *bodies) if each is not None)
        # "No records found" is an answer to a read.
        return bool(bodies) and (nought or any(str(each).strip() == "1" for each in bodies))
    return True


def scalars(value: Any) -> Iterator[Any]:
    """Every single value of an answer, its keys too: a field may be named by one."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from scalars(each)
    elif isinstance(value, list):
        for each in value:
            yield from scalars(each)
    else:
        yield value


def as_number(value: Any) -> Decimal | None:
    try:
        number = None if isinstance(value, bool) or value is None else Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def leaves(value: Any) -> Iterator[Any]:
    """Every single value of a message that the answer itself gave: defaults are nobody's word."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield from leaves(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


# 5paisa names an exchange by its letter or in full.
SHORT = {"N": "NSE", "B": "BSE", "M": "MCX"}


def made_up(message: Any, body: Any) -> list[Any]:
    """Words, whole numbers, amounts and texts of the message that the answer does not hold."""
    said = list(scalars(body))
    words = {letters(each) for each in said if isinstance(each, str)}
    texts = {" ".join(str(each).split()) for each in said if isinstance(each, str | int | float)}
    numbers = {number for each in said if (number := as_number(each)) is not None}
    found = []
    for leaf in leaves(message):
        if isinstance(leaf, Enum):
            known = leaf.name == "UNKNOWN" or not str(leaf.value) or letters(str(leaf.value)) in words
            known = known or str(leaf.value) in texts or as_number(leaf.value) in numbers
        elif isinstance(leaf, Decimal):
            known = leaf in numbers or any(abs(leaf - each) <= Decimal("0.000001") for each in numbers)
        elif isinstance(leaf, int) and not isinstance(leaf, bool):
            known = Decimal(leaf) in numbers
        else:
            known = not isinstance(leaf, str) or leaf == "" or " ".join(leaf.split()) in texts
            known = known or letters(SHORT.get(leaf, leaf)) in words or as_number(leaf) in numbers
        found += [] if known else [leaf]
    return found


# --- the mutations ----------------------------------------------------------------------------------------------------


def check(sample: Sample, client: Any, status: int, body: Any, raw: bytes) -> str:
    """How the client takes the answer; fails when it takes it wrongly."""
    call = CALLS[sample.provider, sample.method]
    try:
        message = hears(client, call, status, raw, sample.content_type)
    except errors.GatewayError as error:
        return type(error).__name__
    assert 200 <= status < 300, f"{status} was read as an answer: {raw!r}"
    if sample.parsed is not None:
        assert calls_itself_success(sample.provider, body), raw
        assert made_up(message, body) == [], raw
    return "answer"


def drawn_of(sample: Sample) -> st.SearchStrategy[Any]:
    """(the edits, how it is sent, its status)"""
    statuses = st.sampled_from([sample.status] * OWN_STATUS + list(STATUSES))
    if sample.parsed is None:
        return st.tuples(st.tuples(*mutations.scratches(sample.body)), st.just("plain"), statuses)
    return st.tuples(st.tuples(*mutations.edits(sample.parsed)), mutations.sendings(), statuses)


def spoilt(sample: Sample, edits: Sequence[Any], sending: str) -> tuple[Any, bytes]:
    """(what the spoilt answer says, its bytes)"""
    if sample.parsed is None:
        return None, mutations.scratched(sample.body, edits)
    return mutations.spoilt(sample.parsed, edits, sending)


def spoil(sample: Sample, client: Any, times: int) -> Counter[str]:
    """How at least so many spoilt answers end. The first that is taken wrongly fails, with the fewest edits."""
    ends: Counter[str] = Counter()
    where = f"{sample.provider} {sample.id} {SEED}"

    @seed(where)
    @settings(DRAWN, max_examples=-(-times // mutations.ANSWERS))
    @given(drawn_of(sample))
    def taken_rightly(drawn: Any) -> None:
        edits, sending, status = drawn
        for few in mutations.selections(edits):
            body, raw = spoilt(sample, few, sending)
            try:
                ends[check(sample, client, status, body, raw)] += 1
            except BaseException as error:
                error.add_note(f"seed {where!r}, edits {list(few)}, sent {sending}: {status} {raw[:2_000]!r}")
                raise

    taken_rightly()
    return ends


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: f"{sample.provider}-{sample.id}")
def test_a_spoilt_answer_ends_in_an_answer_or_a_named_error(sample: Sample):
    ends = spoil(sample, listening(sample.provider), SHARE)
    print(f"{sample.provider} {sample.id} {SEED}: {dict(ends.most_common())}")
    assert ends.total() >= SHARE


def test_the_mutations_are_as_many_as_promised():
    shares = Counter(sample.provider for sample in ALL)
    for provider in PROVIDERS:
        print(f"{provider:10} {shares[provider]:3} sample answers  {shares[provider] * SHARE:6} mutations")
    assert SHARE * len(ALL) >= MUTATIONS


def test_every_method_of_every_client_hears_a_sample_or_makes_no_call():
    heard = {(sample.provider, sample.method) for sample in ALL}
    pages = {("5paisa", "login_url"), ("odin", "login_url")}
    assert heard == set(CALLS) == {(row.provider, row.client) for row in endpoints.ALL} - pages


# --- planted mistakes are found, and brought down to one edit ---------------------------------------------------------


def deaf_to_its_mark(client: Any) -> None:
    """Takes every answer with a good status, whatever the answer says of itself."""
    client.classify = lambda request, response: wire.trouble_of_http(client.provider, request, response)


def deaf_to_the_status(client: Any) -> None:
    client.classify = lambda request, response: None


def presumes_success(client: Any) -> None:
    """A status that is missing is the one that is hoped for."""
    read = client.parse
    client.parse = lambda *call: {"status": "SUCCESS", **said} if isinstance(said := read(*call), dict) else said


def trusts_what_it_reads(client: Any) -> None:
    """Looks into the answer before anybody has looked whether it is there."""
    read = client.parse
    client.parse = lambda *call: (said := read(*call), isinstance(said, dict) and said["id"])[0]


# What is planted, in which sample's client, what hypothesis then finds, and the one place whose loss shows it.
PLANTED = (
    (deaf_to_its_mark, "smallcase", "create-single", AssertionError, ("success",)),
    (deaf_to_its_mark, "odin", "button", AssertionError, ("success",)),
    (deaf_to_its_mark, "5paisa", "place", AssertionError, ("body", "Status")),
    (deaf_to_the_status, "fp", "payment", AssertionError, None),
    (presumes_success, "fp", "payment", AssertionError, ("status",)),
    (trusts_what_it_reads, "fp", "payment", KeyError, ("id",)),
)


@pytest.mark.parametrize(("plant", "provider", "name", "failure", "lost"), PLANTED)
def test_a_planted_mistake_is_found_within_two_thousand(plant, provider, name, failure, lost):
    (sample,) = (each for each in ALL if (each.provider, each.id) == (provider, name))
    client = listening(provider)
    plant(client)
    with pytest.raises(failure) as found:
        spoil(sample, client, 2_000)
    edit = rf"\({re.escape(repr(lost))}, 'gone', \d+\)" if lost else ".*"
    assert re.search(rf"seed '{provider} {name} .*', edits \[{edit}\], sent plain: \d+ ", found.value.__notes__[0])


# --- whole answers of somebody else -----------------------------------------------------------------------------------

FOREIGN = (
    b"", b" ", b"null", b"true", b"0", b'""', b"[]", b"{}", b"[[]]", b"[null]", b"NaN", b"{", b'{"status": "ok"}',
    b'{"error": {"status": 500, "message": "down", "errors": null}}', b'{"success": false, "errors": ["down"]}',
    b'{"success": null}', b'{"head": {"status": "-1"}, "body": null}', b"<html><body>Maintenance</body></html>",
    b"\xff\xfe\x00", b"Service unavailable", b"[" * 100_000, b'{"a":' * 100_000,
)  # fmt: skip
# FP's lists without a frame: an empty list is one.
BARE_LISTS = {"list_sip_instalments"}


@pytest.mark.parametrize(("provider", "method"), CALLS)
def test_what_is_no_answer_of_theirs_is_never_success(provider: str, method: str):
    client = listening(provider)
    for raw in FOREIGN:
        if method in BARE_LISTS and raw.strip() == b"[]":
            continue
        for content_type in ("application/json", "text/html"):
            with pytest.raises(errors.GatewayError):
                message = hears(client, CALLS[provider, method], 200, raw, content_type)
                pytest.fail(f"{raw[:60]!r} was read as {message!r}")


def test_a_quotation_mark_that_is_never_closed_is_garbled():
    client, call = listening("5paisa"), CALLS["5paisa", "list_scrips"]
    (sample,) = (each for each in ALL if each.method == "list_scrips")
    head, row = sample.body.splitlines()[:2]
    assert len(hears(client, call, 200, b"\n".join([head] + [row] * 3_000), "text/csv")) == 3_000
    with pytest.raises(errors.Garbled):
        hears(client, call, 200, b"\n".join([head, b'"' + row] + [row] * 3_000), "text/csv")


def test_the_page_of_a_bank_is_never_read():
    """It is passed on as untrusted bytes; all that is asked of it is to be a page with a whole form."""
    client = listening("fp")
    page = hears(client, CALLS["fp", "create_bse_payment"], 200, b"<form><script></form>", "text/html")
    assert isinstance(page, BankPage)
    with pytest.raises(errors.Garbled):
        hears(client, CALLS["fp", "create_bse_payment"], 200, b"<form><input>", "text/html")
