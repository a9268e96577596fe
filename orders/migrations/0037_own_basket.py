"""A request for a basket is answered by a basket's order of the same investor only, whatever its form is called.

`orders_tell_of_yes` of `0035_tell_of_approvals` found the line by the name of the form alone. Names of forms come with a
form, so another investor's could have carried it.
"""

from django.db import migrations

YES = """
CREATE OR REPLACE FUNCTION orders_tell_of_yes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made jsonb := to_jsonb(NEW); before text := current_setting('portal.scope', true); row record;
    -- One statement for each way, so that the index of its column answers it.
    led_here text := CASE TG_ARGV[0]
        WHEN 'cart_line' THEN 'l.cart_line_id = ($1->>''cart_line_id'')::bigint'
        WHEN 'consent' THEN 'l.consent_id = ($1->>''consent_id'')::bigint'
        WHEN 'given' THEN 'l.consent_id = ($1->>''id'')::bigint'
        WHEN 'form' THEN 'l.form_ref = $1->>''form_ref'' OWN'
        WHEN 'ended' THEN 'l.plan_id = ($1->>''id'')::bigint AND l.change_id IS NULL AND a.withdrawn_at IS NULL'
                          ' AND ($1->>''state_since'')::timestamptz < a.expires_at'
    END;
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    FOR row IN EXECUTE
        'SELECT l.approval_id, l.number FROM orders_approvalline l JOIN orders_approval a ON a.id = l.approval_id'
        ' WHERE l.declined_at IS NULL AND l.kind = $2 AND ' || led_here USING made, TG_ARGV[1]
    LOOP
        PERFORM orders_tell_of_approval(row.approval_id, row.number::integer, 'approved',
            coalesce(made->>'given_at', made->>'state_since')::timestamptz);
    END LOOP;
    PERFORM set_config('portal.scope', before, false);
    RETURN NULL;
END $$;
"""
OWN = YES.replace(" OWN'", " AND l.investor_id = ($1->>''investor_id'')::bigint'")
ANYBODYS = YES.replace(" OWN'", "'")


class Migration(migrations.Migration):
    dependencies = [("orders", "0036_plan_of_day")]
    operations = [migrations.RunSQL(OWN, ANYBODYS)]
