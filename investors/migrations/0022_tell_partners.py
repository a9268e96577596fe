"""Changes of investors, their KYC and mandates are told to the partner who brought them (`portal/webhooks`)."""

from django.db import migrations

from portal.webhooks.tables import tells_nobody_sql, tells_partners_sql

# Codes and states only. The scope is opened, because whoever makes the change need not see the investor's partner.
FUNCTION = """
CREATE FUNCTION portal_tell_partner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('portal.scope', true);
    now_so jsonb := to_jsonb(NEW); was jsonb := '{}';
    of_investors boolean := TG_TABLE_NAME = 'investors_investor';
    partner bigint; investor text; linked boolean := false; word text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        was := to_jsonb(OLD);
        linked := of_investors AND now_so->'partner_id' IS DISTINCT FROM was->'partner_id';
    END IF;
    IF of_investors THEN
        partner := now_so->>'partner_id';
        investor := now_so->>'code';
    ELSE
        PERFORM set_config('portal.scope', 'all', false);
        SELECT i.partner_id, i.code INTO partner, investor FROM investors_investor i
         WHERE i.id = (now_so->>'investor_id')::bigint;
    END IF;
    IF partner IS NOT NULL THEN
        PERFORM set_config('portal.scope', 'all', false);
        word := CASE WHEN linked THEN 'linked' ELSE lower(now_so->>'state') END;
        INSERT INTO portal_partnerevent (code, partner_id, type, kind, at, data, hash) VALUES (
            'evt_' || replace(gen_random_uuid()::text, '-', ''), partner, TG_ARGV[0] || '.' || word, TG_ARGV[0],
            CASE WHEN linked THEN now() ELSE (now_so->>'state_since')::timestamptz END,
            jsonb_build_object(
                'object', TG_ARGV[0], 'id', now_so->>'code', 'investor', investor, 'state', now_so->>'state',
                'previous_state', CASE WHEN linked THEN NULL ELSE was->>'state' END,
                'reason', nullif(now_so->>'failure_code', '')
            ), ''
        );
    END IF;
    PERFORM set_config('portal.scope', before, false);
    RETURN NULL;
END $$;
"""
TABLES = {"investors_kycrequest": "kyc", "investors_mandate": "mandate"}
PEOPLE = "investors_investor"


class Migration(migrations.Migration):
    dependencies = [("investors", "0021_same_person"), ("portal", "0016_event_guards")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION portal_tell_partner();"),
        migrations.RunSQL(tells_partners_sql(PEOPLE, "investor", also="partner_id"), tells_nobody_sql(PEOPLE)),
        *[
            migrations.RunSQL(tells_partners_sql(table, kind), tells_nobody_sql(table))
            for table, kind in TABLES.items()
        ],
    ]
