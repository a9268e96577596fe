"""What the database itself enforces for baskets and orders in shares."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = [
    "orders_basketsubscription",
    "orders_basketorder",
    "orders_basketorderevent",
    "orders_stockorder",
    "orders_stockorderevent",
    "orders_stockholding",
]

GUARDS = """
-- A published version is what investors bought: neither it nor its shares ever change.
CREATE FUNCTION orders_version_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE which bigint := COALESCE(to_jsonb(NEW) ->> 'version_id', to_jsonb(OLD) ->> 'version_id')::bigint;
BEGIN
    IF EXISTS (SELECT 1 FROM orders_basketversion WHERE id = which AND published_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER shares_of_a_published_version_never_change BEFORE INSERT OR UPDATE OR DELETE ON orders_basketconstituent
    FOR EACH ROW EXECUTE FUNCTION orders_version_is_published();
CREATE TRIGGER a_published_version_never_changes BEFORE UPDATE OR DELETE ON orders_basketversion
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION portal_refuse_change();

-- Shares that were filled stay filled, and what was asked for stays what was asked for.
CREATE FUNCTION orders_stockorder_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.filled < OLD.filled OR (OLD.security_id, OLD.side, OLD.quantity, OLD.client_ref, OLD.investor_id)
            IS DISTINCT FROM (NEW.security_id, NEW.side, NEW.quantity, NEW.client_ref, NEW.investor_id) THEN
        RAISE EXCEPTION 'what was asked for or filled cannot be taken back'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_stock_order_only_grows
    BEFORE UPDATE OF filled, security_id, side, quantity, client_ref, investor_id ON orders_stockorder
    FOR EACH ROW EXECUTE FUNCTION orders_stockorder_only_grows();
"""
UNGUARD = """
DROP TRIGGER a_stock_order_only_grows ON orders_stockorder;
DROP FUNCTION orders_stockorder_only_grows();
DROP TRIGGER a_published_version_never_changes ON orders_basketversion;
DROP TRIGGER shares_of_a_published_version_never_change ON orders_basketconstituent;
DROP FUNCTION orders_version_is_published();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0010_stocks"), ("portal", "0002_guards")]
    operations = [
        migrations.RunSQL(GUARDS, UNGUARD),
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED],
    ]
