"""An order, and a SIP, names an EUIN only on a day on which it is good (`portal/euins.py`)."""

from django.db import migrations

GOOD = """
CREATE FUNCTION orders_names_a_good_euin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM portal_euin e WHERE e.number = NEW.euin
           AND (NEW.placed_at AT TIME ZONE 'Asia/Kolkata')::date BETWEEN e.good_from AND e.good_until
    ) THEN
        RAISE EXCEPTION 'the EUIN is not good on the day of the order'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_order_names_an_euin_that_is_good';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER an_order_names_an_euin_that_is_good BEFORE INSERT OR UPDATE OF euin, placed_at ON orders_mforder
    FOR EACH ROW WHEN (NEW.euin <> '') EXECUTE FUNCTION orders_names_a_good_euin();
CREATE TRIGGER a_plan_names_an_euin_that_is_good BEFORE INSERT OR UPDATE OF euin, placed_at ON orders_plan
    FOR EACH ROW WHEN (NEW.euin <> '') EXECUTE FUNCTION orders_names_a_good_euin();
"""
NOT_GOOD = """
DROP TRIGGER a_plan_names_an_euin_that_is_good ON orders_plan;
DROP TRIGGER an_order_names_an_euin_that_is_good ON orders_mforder;
DROP FUNCTION orders_names_a_good_euin();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0007_walls"), ("portal", "0005_euins")]
    operations = [migrations.RunSQL(GOOD, NOT_GOOD)]
