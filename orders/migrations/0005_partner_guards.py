"""What partners ask for, what becomes of it, and what they hear."""

from django.db import migrations

from portal.webhooks.tables import tells_nobody_sql, tells_partners_sql

APPROVALS = """
CREATE FUNCTION orders_what_was_asked_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what a partner asked for never changes'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'what_a_partner_asked_for_never_changes';
END $$;
CREATE TRIGGER why_a_partner_asked_never_changes BEFORE UPDATE ON orders_approval FOR EACH ROW
    WHEN ((OLD.partner_id, OLD.investor_id, OLD.reason, OLD.created_at, OLD.expires_at, OLD.asked_by,
        OLD.asked_by_arn) IS DISTINCT FROM (NEW.partner_id, NEW.investor_id, NEW.reason, NEW.created_at,
        NEW.expires_at, NEW.asked_by, NEW.asked_by_arn))
    EXECUTE FUNCTION orders_what_was_asked_never_changes();
CREATE TRIGGER what_a_partner_asked_for_never_changes BEFORE UPDATE ON orders_approvalline FOR EACH ROW
    WHEN ((OLD.approval_id, OLD.investor_id, OLD.number, OLD.kind, OLD.scheme_id, OLD.folio_number, OLD.amount,
        OLD.units, OLD.is_all, OLD.start_day, OLD.instalments, OLD.mandate_id, OLD.plan_id, OLD."on",
        OLD.bank_account_id, OLD.last_four, OLD.basket_id) IS DISTINCT FROM (NEW.approval_id, NEW.investor_id,
        NEW.number, NEW.kind, NEW.scheme_id, NEW.folio_number, NEW.amount, NEW.units, NEW.is_all, NEW.start_day,
        NEW.instalments, NEW.mandate_id, NEW.plan_id, NEW."on", NEW.bank_account_id, NEW.last_four, NEW.basket_id)
        OR OLD.account IS DISTINCT FROM NEW.account AND NOT (coalesce(current_setting('portal.rotating', true),
        '') = 'on' OR coalesce(current_setting('portal.erasing', true), '') = 'on'))
    EXECUTE FUNCTION orders_what_was_asked_never_changes();
"""

# What becomes of a partner's request is told to the partner like every other change of a state (`portal/webhooks`). A
# request keeps no state: what it led to says where it stands (`orders/queries/approvals.py`), so the triggers stand
# at the rows that it leads to. Of lines that are decided each is told by itself, with its number. Only the end of the
# time is no change of a row: `due_at` says when somebody must look (`orders/operations/approval_ends.py`).
#
# A request for a basket is answered by a basket's order of the same investor only: names of forms come with a form,
# so another investor's could carry it. What a firm asks ends when it no longer serves the investor, or was stopped
# (`portal/api/leaving.py`): no firm asks whom it does not serve, and nothing of what it asked is taken up then.
TELLING = """
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
    ELSIF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL THEN
        PERFORM orders_tell_of_approval(NEW.id, NULL, 'ended', NEW.ended_at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER partner_hears_of_a_request AFTER INSERT ON orders_approval FOR EACH ROW  EXECUTE FUNCTION
    orders_tell_of_request();
CREATE TRIGGER partner_hears_of_its_request AFTER UPDATE OF seen_at, withdrawn_at, ended_at ON orders_approval
    FOR EACH ROW EXECUTE FUNCTION orders_tell_of_request();

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
CREATE TRIGGER partner_hears_of_its_line AFTER UPDATE OF declined_at, change_id ON orders_approvalline FOR EACH ROW
    EXECUTE FUNCTION orders_tell_of_line();

CREATE FUNCTION orders_tell_of_yes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made jsonb := to_jsonb(NEW); before text := current_setting('portal.scope', true); row record;
    -- One statement for each way, so that the index of its column answers it.
    led_here text := CASE TG_ARGV[0]
        WHEN 'cart_line' THEN 'l.cart_line_id = ($1->>''cart_line_id'')::bigint'
        WHEN 'consent' THEN 'l.consent_id = ($1->>''consent_id'')::bigint'
        WHEN 'given' THEN 'l.consent_id = ($1->>''id'')::bigint'
        WHEN 'form' THEN 'l.form_ref = $1->>''form_ref'' AND l.investor_id = ($1->>''investor_id'')::bigint'
        WHEN 'ended' THEN 'l.plan_id = ($1->>''id'')::bigint AND l.change_id IS NULL'
                          ' AND coalesce(a.withdrawn_at, a.ended_at) IS NULL'
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
CREATE TRIGGER partner_hears_of_a_purchase AFTER INSERT ON orders_mforder FOR EACH ROW WHEN (NEW.cart_line_id IS NOT
    NULL) EXECUTE FUNCTION orders_tell_of_yes('cart_line', 'PURCHASE');
CREATE TRIGGER partner_hears_of_a_sale AFTER INSERT ON orders_mforder FOR EACH ROW WHEN (NEW.consent_id IS NOT NULL)
    EXECUTE FUNCTION orders_tell_of_yes('consent', 'REDEMPTION');
CREATE TRIGGER partner_hears_of_a_sip AFTER INSERT ON orders_plan FOR EACH ROW  EXECUTE FUNCTION
    orders_tell_of_yes('consent', 'SIP');
CREATE TRIGGER partner_hears_of_an_ended_sip AFTER UPDATE OF state ON orders_plan FOR EACH ROW WHEN (NEW.state =
    'CANCELLED' AND OLD.state <> 'CANCELLED') EXECUTE FUNCTION orders_tell_of_yes('ended', 'SIP_CANCEL');
CREATE TRIGGER partner_hears_of_a_mandate AFTER INSERT ON investors_mandate FOR EACH ROW WHEN (NEW.consent_id IS NOT
    NULL) EXECUTE FUNCTION orders_tell_of_yes('consent', 'MANDATE');
CREATE TRIGGER partner_hears_of_a_bank_account AFTER UPDATE OF given_at ON investors_consent FOR EACH ROW WHEN
    (OLD.given_at IS NULL AND NEW.given_at IS NOT NULL) EXECUTE FUNCTION orders_tell_of_yes('given', 'BANK_ACCOUNT');
CREATE TRIGGER partner_hears_of_a_basket AFTER INSERT ON orders_basketorder FOR EACH ROW  EXECUTE FUNCTION
    orders_tell_of_yes('form', 'BASKET');

CREATE FUNCTION orders_firm_serves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true); serves boolean;
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM investors_investor i JOIN portal_partner p ON p.id = i.partner_id
          WHERE i.id = NEW.investor_id AND p.id = NEW.partner_id AND p.is_active
            AND (p.api_closed_at IS NULL OR before !~ '^partner:[0-9]+$') FOR SHARE;
        serves := FOUND;
    ELSE
        serves := EXISTS (
            SELECT FROM orders_approval a
              JOIN investors_investor i ON i.id = a.investor_id AND i.partner_id = a.partner_id
              JOIN portal_partner p ON p.id = a.partner_id
             WHERE a.id = NEW.approval_id AND a.ended_at IS NULL AND p.is_active);
    END IF;
    PERFORM set_config('portal.scope', before, false);
    IF NOT serves THEN
        RAISE EXCEPTION 'the firm no longer serves this investor: it asks nothing, and nothing it asked is taken up'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_firm_asks_whom_it_serves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_firm_asks_whom_it_serves BEFORE INSERT ON orders_approval
    FOR EACH ROW EXECUTE FUNCTION orders_firm_serves();
CREATE TRIGGER what_a_firm_asked_is_taken_up_while_it_serves
    BEFORE UPDATE OF cart_line_id, consent_id, change_id ON orders_approvalline FOR EACH ROW
    WHEN (NEW.cart_line_id IS NOT NULL AND NEW.cart_line_id IS DISTINCT FROM OLD.cart_line_id
          OR NEW.consent_id IS NOT NULL AND NEW.consent_id IS DISTINCT FROM OLD.consent_id
          OR NEW.change_id IS NOT NULL AND NEW.change_id IS DISTINCT FROM OLD.change_id)
    EXECUTE FUNCTION orders_firm_serves();
CREATE TRIGGER what_has_ended_stays_ended BEFORE UPDATE ON orders_approval FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND (OLD.ended_at, OLD.ended_why) IS DISTINCT FROM (NEW.ended_at, NEW.ended_why))
    EXECUTE FUNCTION orders_what_was_asked_never_changes();
"""


class Migration(migrations.Migration):
    replaces = [
        ("orders", "0024_tell_partners"),
        ("orders", "0035_tell_of_approvals"),
        ("orders", "0037_own_basket"),
        ("orders", "0039_ended_approvals"),
    ]
    dependencies = [("orders", "0004_stock_guards")]
    operations = [
        migrations.RunSQL(APPROVALS),
        migrations.RunSQL(TELLING),
        migrations.RunSQL(tells_partners_sql("orders_mforder", "order"), tells_nobody_sql("orders_mforder")),
        migrations.RunSQL(tells_partners_sql("orders_plan", "sip"), tells_nobody_sql("orders_plan")),
        migrations.RunSQL(
            tells_partners_sql("orders_basketorder", "basket_order"), tells_nobody_sql("orders_basketorder")
        ),
    ]
