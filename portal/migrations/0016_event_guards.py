"""What the database itself does for events of partners: they are written with the change, numbered at commit, chained.

An event's number is given by a deferred trigger, so at commit, under the lock of the audit chain (one lock for both,
so that no two transactions can wait for each other). The lock is held until the commit is there to be seen: whoever
reads number n reads every number before it. A transaction that fails takes its numbers back with it.
"""

from django.db import migrations

from portal.scope import policies_sql, without_policies_sql

STAFF = "current_setting('portal.scope', true) = 'all'"
OURS = f"{STAFF} OR partner_id = portal_scope_partner()"
TABLES = {
    table: {"ALL": OURS}
    for table in (
        "portal_partnerevent", "portal_partnerday", "portal_webhookendpoint", "portal_webhookdelivery",
        "portal_webhooktry",
    )
}  # fmt: skip

FUNCTIONS = """
-- Words of an event's moment as the feed has them: Indian time, milliseconds.
CREATE FUNCTION portal_event_moment(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(at AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD"T"HH24:MI:SS.MS') || '+05:30'
$$;

-- The same as `feed.chained`.
CREATE FUNCTION portal_event_hash(previous text, number bigint, event portal_partnerevent)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(concat_ws(E'\\n',
        previous, number, (event).code, (event).type, portal_event_moment((event).at),
        (SELECT string_agg(key || '=' || coalesce(value, ''), E'\\n' ORDER BY key COLLATE "C")
           FROM jsonb_each_text((event).data))
    ), 'UTF8')), 'hex')
$$;

-- Runs at commit. Whoever made the change need not see events, so the scope is opened for these statements.
CREATE FUNCTION portal_number_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('portal.scope', true);
    last portal_partnerday; number bigint; today date; link text;
BEGIN
    PERFORM pg_advisory_xact_lock(727, 35);
    PERFORM set_config('portal.scope', 'all', false);
    SELECT * INTO last FROM portal_partnerday WHERE partner_id = NEW.partner_id ORDER BY day DESC LIMIT 1;
    number := coalesce(last.last_seq, 0) + 1;
    today := greatest(last.day, (NEW.at AT TIME ZONE 'Asia/Kolkata')::date);
    link := portal_event_hash(coalesce(last.last_hash, ''), number, NEW);
    UPDATE portal_partnerevent SET seq = number, day = today, hash = link WHERE id = NEW.id;
    INSERT INTO portal_partnerday AS d (partner_id, day, events, first_seq, last_seq, last_hash)
         VALUES (NEW.partner_id, today, 1, number, number, link)
    ON CONFLICT (partner_id, day) DO UPDATE
            SET events = d.events + 1, last_seq = EXCLUDED.last_seq, last_hash = EXCLUDED.last_hash;
    INSERT INTO portal_webhookdelivery (endpoint_id, event_id, partner_id, state, tries, due_at)
         SELECT e.id, NEW.id, NEW.partner_id, 'WAITING', 0, NEW.at FROM portal_webhookendpoint AS e
          WHERE e.partner_id = NEW.partner_id AND e.state = 'ACTIVE'
            AND (cardinality(e.kinds) = 0 OR NEW.kind = ANY (e.kinds)) AND NEW.kind <> 'webhook'
    ON CONFLICT (endpoint_id, event_id) DO NOTHING;
    PERFORM set_config('portal.scope', before, false);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER event_is_numbered_at_commit AFTER INSERT ON portal_partnerevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portal_number_event();

-- The only change that an event ever sees is that it gets its number.
CREATE FUNCTION portal_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seq IS NULL AND NEW.seq IS NOT NULL
       AND (to_jsonb(OLD) - '{seq,day,hash}'::text[]) = (to_jsonb(NEW) - '{seq,day,hash}'::text[]) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events of partners are append-only: they are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER event_never_changes BEFORE UPDATE OR DELETE ON portal_partnerevent
    FOR EACH ROW EXECUTE FUNCTION portal_event_stays();
"""
NO_FUNCTIONS = """
DROP TRIGGER event_never_changes ON portal_partnerevent;
DROP TRIGGER event_is_numbered_at_commit ON portal_partnerevent;
DROP FUNCTION portal_event_stays();
DROP FUNCTION portal_number_event();
DROP FUNCTION portal_event_hash(text, bigint, portal_partnerevent);
DROP FUNCTION portal_event_moment(timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0015_events")]
    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        *[
            migrations.RunSQL(policies_sql(table, policies), without_policies_sql(table, policies))
            for table, policies in TABLES.items()
        ],
    ]
