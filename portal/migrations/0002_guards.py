"""What the database itself enforces for evidence: audit entries are chained at commit and never changed."""

from django.db import migrations

CHAIN = """
CREATE FUNCTION portal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: rows are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION portal_audit_hash(previous text, entry portal_auditentry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN (entry).id IS NULL THEN NULL ELSE encode(sha256(convert_to(jsonb_build_array(
        previous, (entry).id, to_char((entry).at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), (entry).actor,
        (entry).action, (entry).subject_kind, (entry).subject_id, (entry).reason, (entry).data
    )::text, 'UTF8')), 'hex') END
$$;

-- Deferred: runs at commit, after every row lock of the transaction is held, so the chain's lock cannot deadlock with
-- them and is held for an instant. The lock makes the chain one line: nobody else can read the same last link.
CREATE FUNCTION portal_audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last portal_auditlink;
BEGIN
    PERFORM pg_advisory_xact_lock(727, 35);
    SELECT * INTO last FROM portal_auditlink ORDER BY seq DESC LIMIT 1;
    INSERT INTO portal_auditlink (seq, entry_id, previous_hash, hash) VALUES (
        coalesce(last.seq, 0) + 1, NEW.id, coalesce(last.hash, ''), portal_audit_hash(coalesce(last.hash, ''), NEW)
    );
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER audit_entry_is_linked_at_commit AFTER INSERT ON portal_auditentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portal_audit_link();
CREATE TRIGGER audit_entry_never_changes BEFORE UPDATE OR DELETE ON portal_auditentry
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();
CREATE TRIGGER audit_link_never_changes BEFORE UPDATE OR DELETE ON portal_auditlink
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();

-- The person whom a connection acts for; null for nobody and for `all`.
CREATE FUNCTION portal_scope_user() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT substring(current_setting('portal.scope', true) FROM '^user:([0-9]+)$')::bigint
$$;
"""

UNCHAIN = """
DROP TRIGGER audit_link_never_changes ON portal_auditlink;
DROP TRIGGER audit_entry_never_changes ON portal_auditentry;
DROP TRIGGER audit_entry_is_linked_at_commit ON portal_auditentry;
DROP FUNCTION portal_audit_link();
DROP FUNCTION portal_audit_hash(text, portal_auditentry);
DROP FUNCTION portal_scope_user();
DROP FUNCTION portal_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]
    operations = [migrations.RunSQL(CHAIN, UNCHAIN)]
