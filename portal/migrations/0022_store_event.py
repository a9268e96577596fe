"""A doorbell rings in one statement: for nobody in particular, stored once, counted when it rings again.

The function sees every row of the inbox for as long as it runs, and tells only the id of the row and whether it is new:
the connection that calls it sees no inbox before and after. Where it fails, PostgreSQL takes the scope back with the rest.
"""

from django.db import migrations

MAKE = """
CREATE FUNCTION portal_store_event(
    its_provider text, its_kind text, its_fingerprint text, its_body jsonb, its_subject_kind text, its_subject_id text,
    at timestamptz, OUT event_id bigint, OUT made boolean
) LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true);
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    INSERT INTO portal_inboundevent AS stored (
        provider, kind, fingerprint, body, subject_kind, subject_id, received_at, state, tries, note, times_seen
    ) VALUES (
        its_provider, its_kind, its_fingerprint, its_body, its_subject_kind, its_subject_id, at, 'NEW', 0, '', 1
    )
    ON CONFLICT (provider, fingerprint) DO UPDATE SET times_seen = stored.times_seen + 1
    RETURNING stored.id, stored.xmax = 0 INTO event_id, made;
    PERFORM set_config('portal.scope', before, false);
END $$;
"""
DROP = "DROP FUNCTION portal_store_event(text, text, text, jsonb, text, text, timestamptz);"


class Migration(migrations.Migration):
    dependencies = [("portal", "0021_partner_arn_until")]

    operations = [migrations.RunSQL(MAKE, DROP)]
