"""What the database itself enforces for payments."""

from django.db import migrations

from portal.webhooks.tables import tells_nobody_sql, tells_partners_sql

PAYMENTS = """
-- Rupees are conserved: a payment is the sum of its lines, and a line is its order's amount (reliability.md P8).
CREATE FUNCTION payments_lines_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE paid bigint := CASE TG_TABLE_NAME WHEN 'payments_payment' THEN NEW.id
                            ELSE (to_jsonb(NEW) ->> 'payment_id')::bigint END;
BEGIN
    IF (SELECT amount FROM payments_payment WHERE id = paid) IS DISTINCT FROM
       (SELECT sum(l.amount) FROM payments_paymentline l JOIN orders_mforder o ON o.id = l.order_id
         WHERE l.payment_id = paid AND l.amount = o.amount AND l.investor_id = o.investor_id) THEN
        RAISE EXCEPTION 'a payment is the sum of its lines, and a line the amount of its order'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_payment_is_the_sum_of_its_lines AFTER INSERT OR UPDATE OF amount ON payments_payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_lines_add_up();
CREATE CONSTRAINT TRIGGER payment_lines_add_up AFTER INSERT OR UPDATE OF amount, order_id ON payments_paymentline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_lines_add_up();

CREATE VIEW v_money_ops WITH (security_invoker = true) AS
SELECT o.code AS op_id, 'mf_' || lower(o.kind) AS kind, o.provider, o.client_ref, o.provider_ref AS provider_id,
       CASE WHEN o.attempt = 'UNKNOWN' THEN 'unknown' ELSE lower(o.state) END AS state,
       o.amount, o.allotted_units AS units, i.code AS owner, p.code AS partner
  FROM orders_mforder o JOIN investors_investor i ON i.id = o.investor_id
  LEFT JOIN portal_partner p ON p.id = i.partner_id
UNION ALL
SELECT y.code, 'payment', y.provider, y.nonce, y.provider_ref,
       CASE WHEN y.attempt = 'UNKNOWN' THEN 'unknown' ELSE lower(y.state) END,
       y.amount, NULL, i.code, p.code
  FROM payments_payment y JOIN investors_investor i ON i.id = y.investor_id
  LEFT JOIN portal_partner p ON p.id = i.partner_id;
"""


class Migration(migrations.Migration):
    replaces = [("payments", "0002_guards"), ("payments", "0008_tell_partners")]
    dependencies = [("payments", "0001_tables")]
    operations = [
        migrations.RunSQL(PAYMENTS),
        migrations.RunSQL(tells_partners_sql("payments_payment", "payment"), tells_nobody_sql("payments_payment")),
    ]
