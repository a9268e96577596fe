"""What the database itself enforces for changes of share orders."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = ["orders_stockchange", "orders_stockchangeevent"]

GUARDS = """
-- How many shares were asked for changes only to the number that the investor has asked for in an instruction.
CREATE OR REPLACE FUNCTION orders_stockorder_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.filled < OLD.filled OR (OLD.security_id, OLD.side, OLD.client_ref, OLD.investor_id)
            IS DISTINCT FROM (NEW.security_id, NEW.side, NEW.client_ref, NEW.investor_id) THEN
        RAISE EXCEPTION 'what was asked for or filled cannot be taken back'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.quantity <> OLD.quantity AND NOT EXISTS (
            SELECT 1 FROM orders_stockchange c
            WHERE c.stock_order_id = NEW.id AND c.kind = 'MODIFY' AND c.quantity = NEW.quantity) THEN
        RAISE EXCEPTION 'what was asked for or filled cannot be taken back'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION orders_stockorder_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.filled < OLD.filled OR (OLD.security_id, OLD.side, OLD.quantity, OLD.client_ref, OLD.investor_id)
            IS DISTINCT FROM (NEW.security_id, NEW.side, NEW.quantity, NEW.client_ref, NEW.investor_id) THEN
        RAISE EXCEPTION 'what was asked for or filled cannot be taken back'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0025_stock_changes")]
    operations = [
        migrations.RunSQL(GUARDS, BEFORE),
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED],
    ]
