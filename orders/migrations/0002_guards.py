"""What the database itself enforces for orders and the ledger."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = ["orders_mforder", "orders_mforderevent", "orders_folio", "orders_transaction", "orders_holding"]

GUARDS = """
-- No order without the investor's own, given consent to exactly this scheme and amount (reliability.md P30), and what
-- was confirmed is never exchanged afterwards (P12).
CREATE FUNCTION orders_mforder_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.consent_id, OLD.amount, OLD.scheme_id, OLD.investor_id, OLD.client_ref, OLD.kind)
            IS DISTINCT FROM (NEW.consent_id, NEW.amount, NEW.scheme_id, NEW.investor_id, NEW.client_ref, NEW.kind) THEN
        RAISE EXCEPTION 'what an investor has confirmed cannot be exchanged'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM investors_consent c JOIN orders_scheme s ON s.id = NEW.scheme_id
         WHERE c.id = NEW.consent_id AND c.given_at IS NOT NULL AND c.investor_id = NEW.investor_id
           AND c.amount = NEW.amount AND c.isin = s.isin AND c.purpose = NEW.kind
    ) THEN
        RAISE EXCEPTION 'an order needs the given consent of its investor to its scheme and amount'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER an_order_has_its_consent
    BEFORE INSERT OR UPDATE OF consent_id, amount, scheme_id, investor_id, client_ref, kind ON orders_mforder
    FOR EACH ROW EXECUTE FUNCTION orders_mforder_has_consent();
CREATE TRIGGER a_transaction_never_changes BEFORE UPDATE OR DELETE ON orders_transaction
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();
"""
UNGUARD = """
DROP TRIGGER a_transaction_never_changes ON orders_transaction;
DROP TRIGGER an_order_has_its_consent ON orders_mforder;
DROP FUNCTION orders_mforder_has_consent();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial"), ("investors", "0003_guards")]
    operations = [
        migrations.RunSQL(GUARDS, UNGUARD),
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED],
    ]
