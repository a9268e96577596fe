"""Nothing personal or secret lies in clear: encrypted columns, blind indexes, redaction."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from investors.models import PAN_INDEX, Investor
from portal import encryption, redaction, scope
from portal.encryption import InvalidToken

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def raw(query: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@given(st.text(min_size=1, max_size=200).filter(lambda text: "\x00" not in text))
def test_gives_back_what_was_encrypted_and_never_the_same_token_twice(text):
    first, second = encryption.encrypt(text), encryption.encrypt(text)
    assert encryption.decrypt(first) == encryption.decrypt(second) == text
    assert first != second


def test_never_returns_ciphertext_under_a_wrong_key(settings):
    settings.FIELD_KEYS = [OLD]
    token = encryption.encrypt("ABCPE1234F")
    settings.FIELD_KEYS = [NEW]
    with pytest.raises(InvalidToken):
        encryption.decrypt(token)


@pytest.mark.django_db
def test_keeps_pan_and_account_number_out_of_the_database(asha):
    number = asha.bankaccounts.get().number
    tables = [name for (name,) in raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        found = raw(
            f"SELECT count(*) FROM \"{table}\" t WHERE t::text LIKE '%{asha.pan}%' OR t::text LIKE '%{number}%'"
        )
        assert found == [(0,)], table


@pytest.mark.django_db
def test_finds_a_pan_by_its_index_and_refuses_to_search_the_encrypted_column(asha):
    assert Investor.objects.get(pan_index__in=encryption.blind_indexes(asha.pan, PAN_INDEX)) == asha
    with pytest.raises(TypeError, match="blind index"):
        Investor.objects.filter(pan=asha.pan).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("scope_of", ["all", "user:1", "none"])
def test_a_pan_is_found_by_its_index_whoever_asks(scope_of, settings):
    """How PostgreSQL goes about it among a million is measured by `./run bench people`."""
    settings.INDEX_KEYS = ["new", *settings.INDEX_KEYS]
    found = Investor.objects.filter(pan_index__in=encryption.blind_indexes("ASHPR3751C", PAN_INDEX))
    with connection.cursor() as cursor, scope.scope(scope_of):
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = found.explain()
    assert "one_investor_per_pan" in plan
    assert "Index Cond" in plan


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pan", "ABCPE1234F"),
        ("note", "his PAN is ABCPE1234F"),
        ("account_number", "50100012341121"),
        ("note", "account 50100012341121"),
        ("mobile", "9812345678"),
        ("Authorization", "Bearer abc.def"),
        ("otp", "314159"),
        ("note", "mail to asha@portal.example"),
        ("token_url", "http://127.0.0.1/pay?token=secret"),
    ],
)
def test_hides_what_a_log_must_not_show(name, value):
    hidden = redaction.redact({"outer": [{name: value}]})
    for part in ("ABCPE1234F", "50100012341121", "9812345678", "abc.def", "314159", "asha@", "secret"):
        assert part not in str(hidden)


def test_keeps_what_ops_need_to_read():
    body = {"id": 2654461373273791985, "source_ref_id": "7K3F9QW2M4TX7K3F9QW2", "amount": 5000, "status": "PENDING"}
    assert redaction.redact(body) == body


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_redacts_any_json_without_an_error(value):
    redaction.redact(value)
