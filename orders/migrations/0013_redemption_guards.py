"""What the database itself enforces for redemptions: the confirmed folio, and never more than is there."""

from django.db import migrations

GUARDS = """
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
BACK = """
DROP TRIGGER a_redemption_is_covered ON orders_mforder;
DROP FUNCTION orders_redemption_is_covered();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_redemptions"), ("investors", "0007_consent_purposes")]
    operations = [migrations.RunSQL(GUARDS, BACK)]
