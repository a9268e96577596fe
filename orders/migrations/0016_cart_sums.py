"""A confirmed cart is the sum of its consent."""

from django.db import migrations

GUARDS = """
-- What an investor has confirmed is all that stands in the cart: its lines are the sum of the consent (P8, P12).
CREATE FUNCTION orders_cart_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE its bigint := CASE TG_TABLE_NAME WHEN 'orders_cart' THEN NEW.id ELSE (to_jsonb(NEW) ->> 'cart_id')::bigint END;
BEGIN
    IF EXISTS (
        SELECT 1 FROM orders_cart k JOIN investors_consent c ON c.id = k.consent_id
         WHERE k.id = its AND k.confirmed_at IS NOT NULL AND c.amount IS DISTINCT FROM
               (SELECT sum(l.amount) FROM orders_cartline l WHERE l.cart_id = its)
    ) THEN
        RAISE EXCEPTION 'a confirmed cart is the sum that was consented to'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_confirmed_cart_is_its_consent AFTER INSERT OR UPDATE ON orders_cart
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION orders_cart_adds_up();
CREATE CONSTRAINT TRIGGER cart_lines_add_up AFTER INSERT OR UPDATE ON orders_cartline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION orders_cart_adds_up();
"""
BACK = """
DROP TRIGGER cart_lines_add_up ON orders_cartline;
DROP TRIGGER a_confirmed_cart_is_its_consent ON orders_cart;
DROP FUNCTION orders_cart_adds_up();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0015_cart_line_guards")]
    operations = [migrations.RunSQL(GUARDS, BACK)]
