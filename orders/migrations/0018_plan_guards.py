"""What the database itself enforces for instalments of SIPs and for changes of them."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = ["orders_instalment", "orders_planchange", "orders_planchangeevent"]

GUARDS = """
-- An instalment, and a change, is its plan's owner's: one index look-up, also for a day of 100,000 instalments.
ALTER TABLE orders_plan ADD CONSTRAINT a_plan_and_its_owner UNIQUE (id, investor_id);
ALTER TABLE orders_instalment ADD CONSTRAINT an_instalment_belongs_to_the_owner_of_its_plan
    FOREIGN KEY (plan_id, investor_id) REFERENCES orders_plan (id, investor_id);
ALTER TABLE orders_planchange ADD CONSTRAINT a_change_belongs_to_the_owner_of_its_plan
    FOREIGN KEY (plan_id, investor_id) REFERENCES orders_plan (id, investor_id);

-- A plan is debited by another mandate only after its owner's given yes to exactly that (reliability.md P30).
CREATE FUNCTION orders_plan_mandate_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM orders_planchange h JOIN investors_consent c ON c.id = h.consent_id
         WHERE h.plan_id = NEW.id AND h.mandate_id = NEW.mandate_id AND h.kind = 'MANDATE' AND h.state <> 'FAILED'
           AND c.given_at IS NOT NULL AND c.investor_id = NEW.investor_id AND c.purpose = 'SIP'
    ) THEN
        RAISE EXCEPTION 'another mandate needs the given consent of its investor'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER another_mandate_has_its_consent BEFORE UPDATE OF mandate_id ON orders_plan
    FOR EACH ROW WHEN (OLD.mandate_id IS DISTINCT FROM NEW.mandate_id)
    EXECUTE FUNCTION orders_plan_mandate_has_consent();
"""
BACK = """
DROP TRIGGER another_mandate_has_its_consent ON orders_plan;
DROP FUNCTION orders_plan_mandate_has_consent();
ALTER TABLE orders_planchange DROP CONSTRAINT a_change_belongs_to_the_owner_of_its_plan;
ALTER TABLE orders_instalment DROP CONSTRAINT an_instalment_belongs_to_the_owner_of_its_plan;
ALTER TABLE orders_plan DROP CONSTRAINT a_plan_and_its_owner;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0017_plans_whole")]
    operations = [
        migrations.RunSQL(GUARDS, BACK),
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED],
    ]
