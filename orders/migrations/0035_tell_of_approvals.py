"""What becomes of a partner's request is told to the partner like every other change of a state (`portal/webhooks`).

A request keeps no state: what it led to says where it stands (`orders/queries/approvals.py`). So the triggers stand at
the rows that it leads to. Of lines that are decided each is told by itself, with its number. Only the end of the time is
no change of a row: `due_at` says when somebody must look (`orders/operations/approval_ends.py`).
"""

from django.db import migrations, models
from django.db.models import Q

# The scope is opened, because whoever makes the change need not see the partner's events (as `portal_tell_partner`).
FUNCTIONS = """
CREATE FUNCTION orders_tell_of_approval(asked bigint, line integer, word text, happened timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true);
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    INSERT INTO portal_partnerevent (code, partner_id, type, kind, at, data, hash)
         SELECT 'evt_' || replace(gen_random_uuid()::text, '-', ''), a.partner_id, 'approval.' || word, 'approval',
                happened, jsonb_build_object(
                    'object', 'approval', 'id', a.code, 'investor', i.code, 'state', upper(word),
                    'previous_state', NULL, 'reason', NULL, 'line', line), ''
           FROM orders_approval a JOIN investors_investor i ON i.id = a.investor_id
          WHERE a.id = asked AND i.partner_id = a.partner_id;
    PERFORM set_config('portal.scope', before, false);
END $$;

CREATE FUNCTION orders_tell_of_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM orders_tell_of_approval(NEW.id, NULL, 'asked', NEW.created_at);
    ELSIF OLD.seen_at IS NULL AND NEW.seen_at IS NOT NULL THEN
        PERFORM orders_tell_of_approval(NEW.id, NULL, 'seen', NEW.seen_at);
    ELSIF OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL THEN
        PERFORM orders_tell_of_approval(NEW.id, NULL, 'withdrawn', NEW.withdrawn_at);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION orders_tell_of_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.declined_at IS NULL AND NEW.declined_at IS NOT NULL THEN
        PERFORM orders_tell_of_approval(NEW.approval_id, NEW.number, 'declined', NEW.declined_at);
    ELSIF OLD.change_id IS NULL AND NEW.change_id IS NOT NULL THEN
        PERFORM orders_tell_of_approval(NEW.approval_id, NEW.number, 'approved',
            (SELECT asked_at FROM orders_planchange WHERE id = NEW.change_id));
    END IF;
    RETURN NULL;
END $$;

-- A row came to be that lines may have led to: by a form, a cart, a consent, or the end of a SIP.
CREATE FUNCTION orders_tell_of_yes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made jsonb := to_jsonb(NEW); before text := current_setting('portal.scope', true); row record;
    -- One statement for each way, so that the index of its column answers it.
    led_here text := CASE TG_ARGV[0]
        WHEN 'cart_line' THEN 'l.cart_line_id = ($1->>''cart_line_id'')::bigint'
        WHEN 'consent' THEN 'l.consent_id = ($1->>''consent_id'')::bigint'
        WHEN 'given' THEN 'l.consent_id = ($1->>''id'')::bigint'
        WHEN 'form' THEN 'l.form_ref = $1->>''form_ref'''
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
NO_FUNCTIONS = """
DROP FUNCTION orders_tell_of_yes();
DROP FUNCTION orders_tell_of_line();
DROP FUNCTION orders_tell_of_request();
DROP FUNCTION orders_tell_of_approval(bigint, integer, text, timestamptz);
"""
# Trigger -> table, when, for which rows, and what it runs.
TRIGGERS = {
    "partner_hears_of_a_request": ("orders_approval", "INSERT", "", "request()"),
    "partner_hears_of_its_request": ("orders_approval", "UPDATE OF seen_at, withdrawn_at", "", "request()"),
    "partner_hears_of_its_line": ("orders_approvalline", "UPDATE OF declined_at, change_id", "", "line()"),
    "partner_hears_of_a_purchase": (
        "orders_mforder", "INSERT", "WHEN (NEW.cart_line_id IS NOT NULL)", "yes('cart_line', 'PURCHASE')"
    ),
    "partner_hears_of_a_sale": (
        "orders_mforder", "INSERT", "WHEN (NEW.consent_id IS NOT NULL)", "yes('consent', 'REDEMPTION')"
    ),
    "partner_hears_of_a_sip": ("orders_plan", "INSERT", "", "yes('consent', 'SIP')"),
    "partner_hears_of_an_ended_sip": (
        "orders_plan", "UPDATE OF state", "WHEN (NEW.state = 'CANCELLED' AND OLD.state <> 'CANCELLED')",
        "yes('ended', 'SIP_CANCEL')",
    ),
    "partner_hears_of_a_mandate": (
        "investors_mandate", "INSERT", "WHEN (NEW.consent_id IS NOT NULL)", "yes('consent', 'MANDATE')"
    ),
    "partner_hears_of_a_bank_account": (
        "investors_consent", "UPDATE OF given_at", "WHEN (OLD.given_at IS NULL AND NEW.given_at IS NOT NULL)",
        "yes('given', 'BANK_ACCOUNT')",
    ),
    "partner_hears_of_a_basket": ("orders_basketorder", "INSERT", "", "yes('form', 'BASKET')"),
}  # fmt: skip
# What runs out from now on is told; what has run out already is history.
QUEUED = "UPDATE orders_approval SET due_at = expires_at WHERE withdrawn_at IS NULL AND expires_at > now();"


def on(name: str) -> str:
    """The trigger of this name."""
    table, when, which, runs = TRIGGERS[name]
    return f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW {which} EXECUTE FUNCTION orders_tell_of_{runs};"


class Migration(migrations.Migration):
    dependencies = [("orders", "0034_dated_rules"), ("investors", "0022_tell_partners")]
    operations = [
        migrations.AddField("approval", "due_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddIndex(
            "approval", models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="approvals_run_out")
        ),
        migrations.RunSQL(QUEUED, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        *[migrations.RunSQL(on(name), f"DROP TRIGGER {name} ON {table};") for name, (table, *_) in TRIGGERS.items()],
    ]
