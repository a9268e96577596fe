"""A published basket has no words but those that a second person approved."""

from django.db import migrations

GUARD = """
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
UNGUARD = """
DROP TRIGGER a_basket_logo_never_changes ON orders_basketlogo;
DROP TRIGGER words_of_a_published_basket_are_approved ON orders_basket;
DROP FUNCTION orders_basket_words_are_approved();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0027_basket_looks")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
