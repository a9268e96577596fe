"""What the database itself enforces for baskets and orders of shares."""

from django.db import migrations

STOCKS = """
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

-- How many shares were asked for changes only to the number that the investor has asked for in an instruction.
CREATE FUNCTION orders_stockorder_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER a_stock_order_only_grows
    BEFORE UPDATE OF filled, security_id, side, quantity, client_ref, investor_id ON orders_stockorder
    FOR EACH ROW EXECUTE FUNCTION orders_stockorder_only_grows();
"""

BASKETS = """
CREATE FUNCTION orders_basket_words_are_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM orders_basketchange c
         WHERE c.basket_id = NEW.id AND c.state = 'APPROVED'
           AND (c.name, c.rationale, c.risk, c.benchmark) = (NEW.name, NEW.rationale, NEW.risk, NEW.benchmark)
           AND c.logo_id IS NOT DISTINCT FROM NEW.logo_id
    ) THEN
        RAISE EXCEPTION 'the words of a published basket need a second person'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER words_of_a_published_basket_are_approved BEFORE UPDATE ON orders_basket
    FOR EACH ROW WHEN (
        OLD.state <> 'DRAFT' AND (OLD.name, OLD.rationale, OLD.risk, OLD.benchmark, OLD.logo_id)
            IS DISTINCT FROM (NEW.name, NEW.rationale, NEW.risk, NEW.benchmark, NEW.logo_id)
    ) EXECUTE FUNCTION orders_basket_words_are_approved();
CREATE TRIGGER a_basket_logo_never_changes BEFORE UPDATE ON orders_basketlogo
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();
"""


class Migration(migrations.Migration):
    replaces = [
        ("orders", "0011_stock_guards"),
        ("orders", "0026_stock_change_guards"),
        ("orders", "0028_basket_words"),
    ]
    dependencies = [("orders", "0003_fund_guards")]
    operations = [
        migrations.RunSQL(STOCKS),
        migrations.RunSQL(BASKETS),
    ]
