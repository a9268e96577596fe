"""The audit chain shows every edit, removal, reordering and cut (reliability.md P35)."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from portal import audit, clock
from portal.models import AuditEntry
from tests import factories
from tests.database import raised_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def write(count: int = 5) -> list[AuditEntry]:
    partner = factories.PartnerFactory()
    for number in range(count):
        with transaction.atomic():
            audit.record(partner, f"test.act{number}", actor="test", at=clock.now(), number=number)
    return list(AuditEntry.objects.order_by("id"))


def as_owner(*statements: str) -> None:
    """What somebody with the owner's rights and no scruples could do: triggers off, the foreign key dropped."""
    off, on = [], []
    for table in ("portal_auditentry", "portal_auditlink"):
        off.append(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        on.append(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = 'portal_auditlink'::regclass"
        )
        name, definition = cursor.fetchone()
        off.append(f'ALTER TABLE portal_auditlink DROP CONSTRAINT "{name}"')
        on.append(
            f'ALTER TABLE portal_auditlink ADD CONSTRAINT "{name}" {definition.replace(" NOT VALID", "")} NOT VALID'
        )
        for statement in (*off, *statements, *on):
            cursor.execute(statement)


REWRITE_THE_CHAIN = """
    WITH RECURSIVE fresh AS (
        SELECT l.seq, l.entry_id, portal_audit_hash('', e) AS hash, ''::text AS previous
          FROM portal_auditlink l JOIN portal_auditentry e ON e.id = l.entry_id WHERE l.seq = 1
        UNION ALL
        SELECT l.seq, l.entry_id, portal_audit_hash(f.hash, e), f.hash
          FROM fresh f JOIN portal_auditlink l ON l.seq = f.seq + 1 JOIN portal_auditentry e ON e.id = l.entry_id
    )
    UPDATE portal_auditlink l SET hash = f.hash, previous_hash = f.previous FROM fresh f WHERE f.seq = l.seq
"""
TAMPERING = {
    "an entry is edited": ("UPDATE portal_auditentry SET reason = 'all fine' WHERE action = 'test.act2'",),
    "an entry is removed, its link kept": ("DELETE FROM portal_auditentry WHERE action = 'test.act2'",),
    "an entry and its link are removed": (
        "DELETE FROM portal_auditlink USING portal_auditentry e WHERE entry_id = e.id AND e.action = 'test.act2'",
        "DELETE FROM portal_auditentry WHERE action = 'test.act2'",
    ),
    "two entries change places": (
        "CREATE TEMP TABLE places ON COMMIT DROP AS SELECT seq, entry_id FROM portal_auditlink WHERE seq IN (2, 3)",
        "UPDATE portal_auditlink SET entry_id = -seq WHERE seq IN (2, 3)",
        "UPDATE portal_auditlink l SET entry_id = p.entry_id FROM places p WHERE l.seq IN (2, 3) AND p.seq = 5 - l.seq",
    ),
    "the newest entries are cut off": (
        "DELETE FROM portal_auditentry e USING portal_auditlink l WHERE l.entry_id = e.id AND l.seq > 3",
        "DELETE FROM portal_auditlink WHERE seq > 3",
    ),
    "an entry is edited and the whole chain rewritten": (
        "UPDATE portal_auditentry SET reason = 'all fine' WHERE action = 'test.act2'",
        REWRITE_THE_CHAIN,
    ),
}


def test_is_unbroken_when_nobody_touched_it():
    write()
    found = audit.verify()
    assert (found.entries, found.problems) == (5, ())


@pytest.mark.parametrize("way", TAMPERING)
def test_shows_that(way):
    write()
    anchor = audit.verify()
    as_owner(*TAMPERING[way])
    assert audit.verify(anchor=(anchor.last_seq, anchor.last_hash)).problems


def test_needs_the_anchor_to_see_a_cut_or_a_rewritten_chain():
    """Why the anchor is kept elsewhere: without it these two leave no trace."""
    write()
    as_owner(*TAMPERING["an entry is edited and the whole chain rewritten"])
    assert audit.verify().problems == ()


@pytest.mark.parametrize("statement", ["UPDATE portal_auditentry SET reason = 'x'", "DELETE FROM portal_auditentry"])
def test_refuses_to_change_or_delete_an_entry(statement):
    write(1)
    with pytest.raises(IntegrityError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_keeps_one_line_under_parallel_writers():
    assert raised_at_once(lambda: write(5), 10) == []
    found = audit.verify()
    assert (found.entries, found.problems) == (50, ())


def test_leaves_no_entry_of_what_did_not_happen():
    partner = factories.PartnerFactory()
    with transaction.atomic():
        audit.record(partner, "test.undone", actor=None, at=clock.now())
        transaction.set_rollback(True)
    assert not audit.entries_of(partner).exists()


def test_is_verified_by_the_command_against_an_anchor_kept_elsewhere(tmp_path, capsys):
    anchor = tmp_path / "anchor.json"
    write()
    call_command("audit_verify", anchor=anchor)
    assert "5 entries, unbroken" in capsys.readouterr().out
    as_owner(*TAMPERING["the newest entries are cut off"])
    call_command("audit_verify")
    with pytest.raises(CommandError, match="rewritten or cut"):
        call_command("audit_verify", anchor=anchor)
