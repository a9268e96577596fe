"""What the database itself enforces for orders of mutual funds."""

from django.db import migrations

ORDERS = """
-- No order without authority: the investor's own, given consent to exactly this (reliability.md P30): of its own, of
-- the cart whose line it is, or of the plan whose instalment it is. What was confirmed is never exchanged (P12).
CREATE FUNCTION orders_mforder_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
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
    BEFORE INSERT OR UPDATE OF consent_id, cart_id, plan_id, amount, units, is_all, scheme_id, investor_id,
        client_ref, kind
    ON orders_mforder FOR EACH ROW EXECUTE FUNCTION orders_mforder_has_consent();
CREATE TRIGGER a_transaction_never_changes BEFORE UPDATE OR DELETE ON orders_transaction
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();

CREATE FUNCTION orders_plan_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.consent_id, OLD.amount, OLD.scheme_id, OLD.investor_id, OLD.client_ref,
                             OLD.instalments)
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

# The list of what is for sale needs no sorting, and the daily rewrite of every row's NAV stays inside its page. What
# is held of a day is found without reading the history, and vacuum tells the index about each new day.
STORAGE = """
ALTER TABLE orders_scheme SET (fillfactor = 55, autovacuum_vacuum_scale_factor = 0.1);
ALTER TABLE orders_nav SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000);
"""

# The confirmed folio, and never more than is there.
REDEMPTIONS = """
-- Two tabs, two devices, two workers: whoever comes second waits for the folio and then counts the first (P8, P12).
-- An order for rupees is counted at the latest NAV. Lock-in is not counted here: `orders.operations.redemptions` does.
CREATE FUNCTION orders_redemption_is_covered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held numeric;
    price numeric;
    promised numeric;
    asked numeric;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.folio_id, OLD.bank_account_id, OLD.redemption_mode)
                IS DISTINCT FROM (NEW.folio_id, NEW.bank_account_id, NEW.redemption_mode) THEN
            RAISE EXCEPTION 'what an investor has confirmed cannot be exchanged'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    PERFORM 1 FROM orders_folio f JOIN investors_consent c ON c.id = NEW.consent_id AND c.folio_number = f.number
      WHERE f.id = NEW.folio_id AND f.investor_id = NEW.investor_id FOR UPDATE OF f;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a redemption is from the confirmed folio of its own investor'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT h.units INTO held FROM orders_holding h WHERE h.folio_id = NEW.folio_id AND h.scheme_id = NEW.scheme_id;
    SELECT s.nav INTO price FROM orders_scheme s WHERE s.id = NEW.scheme_id;
    SELECT coalesce(sum(CASE WHEN o.is_all THEN held
                             WHEN o.units IS NOT NULL THEN o.units
                             ELSE coalesce(o.amount / nullif(price, 0), held) END), 0)
      INTO promised FROM orders_mforder o
     WHERE o.folio_id = NEW.folio_id AND o.scheme_id = NEW.scheme_id AND o.kind IN ('REDEMPTION', 'SWITCH_OUT')
       AND o.state IN ('CREATED', 'SUBMITTING', 'PLACED');
    asked := CASE WHEN NEW.is_all THEN 0
                  WHEN NEW.units IS NOT NULL THEN NEW.units
                  ELSE coalesce(NEW.amount / nullif(price, 0), held) END;
    IF coalesce(held, 0) <= promised OR asked > held - promised THEN
        RAISE EXCEPTION 'a redemption takes no more units than are held and not promised yet'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_redemption_is_covered
    BEFORE INSERT OR UPDATE OF folio_id, bank_account_id, redemption_mode ON orders_mforder
    FOR EACH ROW WHEN (NEW.kind = 'REDEMPTION') EXECUTE FUNCTION orders_redemption_is_covered();
"""

# An order of a cart is one line of it: the same cart, scheme and rupees. Which line it is never changes.
CARTS = """
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

PLANS = """
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


class Migration(migrations.Migration):
    replaces = [
        ("orders", "0002_guards"),
        ("orders", "0008_order_guards"),
        ("orders", "0013_redemption_guards"),
        ("orders", "0015_cart_line_guards"),
        ("orders", "0016_cart_sums"),
        ("orders", "0018_plan_guards"),
    ]
    dependencies = [("orders", "0002_funds")]
    operations = [
        migrations.RunSQL(ORDERS),
        migrations.RunSQL(STORAGE),
        migrations.RunSQL(REDEMPTIONS),
        migrations.RunSQL(CARTS),
        migrations.RunSQL(PLANS),
    ]
