"""What the database itself enforces for orders of every kind, carts and plans."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = ["orders_cart", "orders_cartline", "orders_plan", "orders_planevent"]

GUARDS = """
DROP TRIGGER an_order_has_its_consent ON orders_mforder;
-- No order without authority: the investor's own, given consent to exactly this (reliability.md P30): of its own, of
-- the cart whose line it is, or of the plan whose instalment it is. What was confirmed is never exchanged (P12).
CREATE OR REPLACE FUNCTION orders_mforder_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.consent_id, OLD.cart_id, OLD.plan_id, OLD.amount, OLD.units, OLD.is_all,
                             OLD.scheme_id, OLD.investor_id, OLD.client_ref, OLD.kind)
            IS DISTINCT FROM (NEW.consent_id, NEW.cart_id, NEW.plan_id, NEW.amount, NEW.units, NEW.is_all,
                              NEW.scheme_id, NEW.investor_id, NEW.client_ref, NEW.kind) THEN
        RAISE EXCEPTION 'what an investor has confirmed cannot be exchanged'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.consent_id IS NULL AND NEW.cart_id IS NULL AND NEW.plan_id IS NULL THEN
        RETURN NEW;  -- a switch that was only read (constraint an_order_has_exactly_one_authority)
    END IF;
    IF EXISTS (
        SELECT 1 FROM investors_consent c JOIN orders_scheme s ON s.id = NEW.scheme_id
         WHERE c.id = NEW.consent_id AND c.given_at IS NOT NULL AND c.investor_id = NEW.investor_id
           AND c.isin = s.isin AND c.purpose = NEW.kind
           AND c.amount IS NOT DISTINCT FROM NEW.amount AND c.units IS NOT DISTINCT FROM NEW.units
    ) OR EXISTS (
        SELECT 1 FROM orders_cart k JOIN investors_consent c ON c.id = k.consent_id
          JOIN orders_cartline l ON l.cart_id = k.id
         WHERE k.id = NEW.cart_id AND k.investor_id = NEW.investor_id AND c.investor_id = NEW.investor_id
           AND c.given_at IS NOT NULL AND c.purpose = 'CART' AND NEW.kind = 'PURCHASE'
           AND l.scheme_id = NEW.scheme_id AND l.amount = NEW.amount
    ) OR EXISTS (
        SELECT 1 FROM orders_plan p JOIN investors_consent c ON c.id = p.consent_id
         WHERE p.id = NEW.plan_id AND p.investor_id = NEW.investor_id AND c.given_at IS NOT NULL
           AND NEW.kind = 'PURCHASE' AND p.scheme_id = NEW.scheme_id AND p.amount = NEW.amount
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an order needs the given consent of its investor to its scheme and amount'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER an_order_has_its_consent
    BEFORE INSERT OR UPDATE OF consent_id, cart_id, plan_id, amount, units, is_all, scheme_id, investor_id, client_ref, kind
    ON orders_mforder FOR EACH ROW EXECUTE FUNCTION orders_mforder_has_consent();

CREATE FUNCTION orders_plan_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.consent_id, OLD.amount, OLD.scheme_id, OLD.investor_id, OLD.client_ref, OLD.instalments)
            IS DISTINCT FROM
            (NEW.consent_id, NEW.amount, NEW.scheme_id, NEW.investor_id, NEW.client_ref, NEW.instalments) THEN
        RAISE EXCEPTION 'what an investor has confirmed cannot be exchanged'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM investors_consent c JOIN orders_scheme s ON s.id = NEW.scheme_id
         WHERE c.id = NEW.consent_id AND c.given_at IS NOT NULL AND c.investor_id = NEW.investor_id
           AND c.amount = NEW.amount AND c.isin = s.isin AND c.purpose = 'SIP'
    ) THEN
        RAISE EXCEPTION 'a plan needs the given consent of its investor to its scheme and amount'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM investors_mandate m WHERE m.id = NEW.mandate_id AND m.investor_id = NEW.investor_id
    ) THEN
        RAISE EXCEPTION 'a plan is collected by a mandate of its own investor'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_plan_has_its_consent
    BEFORE INSERT OR UPDATE OF consent_id, amount, scheme_id, investor_id, client_ref, instalments, mandate_id
    ON orders_plan FOR EACH ROW EXECUTE FUNCTION orders_plan_has_consent();

-- A confirmed cart and its lines stay as they were confirmed.
CREATE FUNCTION orders_cart_is_confirmed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM orders_cart WHERE id = OLD.cart_id AND confirmed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a confirmed cart cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER a_confirmed_cart_line_never_changes BEFORE UPDATE OR DELETE ON orders_cartline
    FOR EACH ROW EXECUTE FUNCTION orders_cart_is_confirmed();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0007_orders_whole"),
        ("investors", "0007_consent_purposes"),
    ]
    operations = [
        # The way back stops here: orders of the new kinds would have no place in the old tables.
        migrations.RunSQL(GUARDS),
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED],
    ]
