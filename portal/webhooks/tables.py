"""SQL for migrations: the trigger by which a table tells its investors' partners of changes of its state."""

from __future__ import annotations


def tells_partners_sql(table: str, kind: str, *, also: str = "") -> str:
    """SQL by which `table` writes an event of this kind for every state that a row begins in or comes to.

    The table has `code`, `state`, `state_since` and `investor_id` (the table of investors: `id`). `also` names a
    further column whose change is told.
    """
    columns = ["state", also] if also else ["state"]
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    return f"""
        CREATE TRIGGER {table}_tells_partner_of_new AFTER INSERT ON {table}
            FOR EACH ROW EXECUTE FUNCTION portal_tell_partner('{kind}');
        CREATE TRIGGER {table}_tells_partner AFTER UPDATE OF {", ".join(columns)} ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION portal_tell_partner('{kind}');
    """


def tells_nobody_sql(table: str) -> str:
    """The reverse of `tells_partners_sql`."""
    return f"""
        DROP TRIGGER {table}_tells_partner_of_new ON {table};
        DROP TRIGGER {table}_tells_partner ON {table};
    """
