"""An order of a cart is one line of it: the same cart, scheme and rupees. Which line a cart's order is, never changes."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION orders_mforder_is_its_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.cart_line_id IS DISTINCT FROM NEW.cart_line_id THEN
        RAISE EXCEPTION 'what an investor has confirmed cannot be exchanged'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.cart_line_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM orders_cartline l
         WHERE l.id = NEW.cart_line_id AND l.cart_id = NEW.cart_id AND l.investor_id = NEW.investor_id
           AND l.scheme_id = NEW.scheme_id AND l.amount = NEW.amount
    ) THEN
        RAISE EXCEPTION 'an order of a cart is one of its lines'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER an_order_is_its_cart_line BEFORE INSERT OR UPDATE OF cart_line_id ON orders_mforder
    FOR EACH ROW EXECUTE FUNCTION orders_mforder_is_its_line();
"""
BACK = """
DROP TRIGGER an_order_is_its_cart_line ON orders_mforder;
DROP FUNCTION orders_mforder_is_its_line();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0014_cart_lines")]
    operations = [migrations.RunSQL(GUARDS, BACK)]
