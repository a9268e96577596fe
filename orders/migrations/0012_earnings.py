"""What partners read of commission, as views that read with their reader's rights; decided payouts are told as events."""

from django.db import migrations, models

VIEWS = """
-- A payout that still waits for a second person is nobody's yet, whoever reads.
CREATE VIEW v_earnings_lines WITH (security_invoker = true) AS
SELECT l.id, l.partner_id, l.month, l.kind, l.fund_house_id, l.folio_id, l.scheme_id, l.folio_number, l.amount,
       CASE WHEN o.id IS NULL THEN s.percent ELSE h.percent END AS percent,
       CASE WHEN o.id IS NULL THEN round(l.amount * s.percent / 100, 2) ELSE h.payable END AS payable,
       o.id AS payout_id, o.state AS payout_state
  FROM orders_commissionline l
  LEFT JOIN orders_payoutline h ON h.line_id = l.id AND h.counts
  LEFT JOIN orders_payout o ON o.id = h.payout_id AND o.state IN ('APPROVED', 'PAID')
  LEFT JOIN LATERAL (
        SELECT c.percent FROM orders_commissionshare c
         WHERE c.partner_id = l.partner_id AND c.valid_from < l.month + interval '1 month'
         ORDER BY c.valid_from DESC LIMIT 1) s ON true
 WHERE l.partner_id IS NOT NULL AND l.why_not = '';

CREATE VIEW v_earnings_holdings WITH (security_invoker = true) AS
SELECT m.id, m.partner_id, m.month, m.folio_id, m.scheme_id, m.days, m.unpriced, m.unrated, m.average_value,
       m.expected, m.computed_at,
       (SELECT sum(l.amount) FROM orders_commissionline l
         WHERE l.month = m.month AND l.folio_id = m.folio_id AND l.scheme_id = m.scheme_id AND l.why_not = ''
           AND l.kind = 'TRAIL' AND l.partner_id = m.partner_id) AS received
  FROM orders_commissionmonth m
 WHERE m.partner_id IS NOT NULL;

CREATE VIEW v_earnings_months WITH (security_invoker = true) AS
SELECT partner_id, month, sum(expected) AS expected, sum(holdings)::integer AS holdings, sum(received) AS received,
       sum(trail) AS trail, sum(lines)::integer AS lines, sum(payable) AS payable, sum(unshared)::integer AS unshared,
       sum(paid) AS paid
  FROM (
    SELECT m.partner_id, m.month, m.expected, 1 AS holdings, 0.00 AS received, 0.00 AS trail, 0 AS lines,
           0.00 AS payable, 0 AS unshared, 0.00 AS paid
      FROM orders_commissionmonth m WHERE m.partner_id IS NOT NULL
    UNION ALL
    SELECT l.partner_id, l.month, 0.00, 0, l.amount, CASE WHEN l.kind = 'TRAIL' THEN l.amount ELSE 0.00 END, 1,
           coalesce(l.payable, 0.00), CASE WHEN l.payable IS NULL THEN 1 ELSE 0 END,
           CASE WHEN l.payout_state = 'PAID' THEN l.payable ELSE 0.00 END
      FROM v_earnings_lines l
  ) AS parts
 GROUP BY partner_id, month;
"""
NO_VIEWS = """
DROP VIEW v_earnings_months;
DROP VIEW v_earnings_holdings;
DROP VIEW v_earnings_lines;
"""

# A payout belongs to a partner and to no investor, and concerns it from its approval on.
TELLS = """
CREATE FUNCTION orders_payout_tells() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('portal.scope', true);
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    INSERT INTO portal_partnerevent (code, partner_id, type, kind, at, data, hash) VALUES (
        'evt_' || replace(gen_random_uuid()::text, '-', ''), NEW.partner_id, 'payout.' || lower(NEW.state), 'payout',
        CASE NEW.state WHEN 'APPROVED' THEN NEW.decided_at ELSE now() END,
        jsonb_build_object(
            'object', 'payout', 'id', NEW.code, 'investor', NULL, 'state', NEW.state,
            'previous_state', CASE WHEN OLD.state <> 'ASKED' THEN OLD.state END, 'reason', NULL
        ), ''
    );
    PERFORM set_config('portal.scope', before, false);
    RETURN NULL;
END $$;
CREATE TRIGGER orders_payout_tells_partner AFTER UPDATE OF state ON orders_payout
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state IN ('APPROVED', 'PAID'))
    EXECUTE FUNCTION orders_payout_tells();
"""
TELLS_NOBODY = """
DROP TRIGGER orders_payout_tells_partner ON orders_payout;
DROP FUNCTION orders_payout_tells();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0011_commission"),
    ]

    operations = [
        migrations.CreateModel(
            name="EarningsHolding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("days", models.PositiveSmallIntegerField()),
                ("unpriced", models.PositiveSmallIntegerField()),
                ("unrated", models.PositiveSmallIntegerField()),
                ("average_value", models.DecimalField(decimal_places=2, max_digits=18)),
                ("expected", models.DecimalField(decimal_places=2, max_digits=15)),
                ("computed_at", models.DateTimeField()),
                ("received", models.DecimalField(decimal_places=2, max_digits=15, null=True)),
            ],
            options={
                "db_table": "v_earnings_holdings",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="EarningsLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("TRAIL", "trail"),
                            ("INCENTIVE", "additional incentive"),
                            ("UPFRONT", "upfront, of before 22 October 2018"),
                            ("CHARGE", "transaction charge"),
                            ("CLAWBACK", "clawback"),
                            ("OTHER", "other"),
                        ],
                        max_length=9,
                    ),
                ),
                ("folio_number", models.CharField(max_length=40)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=15)),
                ("percent", models.DecimalField(decimal_places=2, max_digits=5, null=True, verbose_name="share")),
                ("payable", models.DecimalField(decimal_places=2, max_digits=15, null=True)),
            ],
            options={
                "db_table": "v_earnings_lines",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="EarningsMonth",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "partner_id", "month", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("month", models.DateField()),
                ("expected", models.DecimalField(decimal_places=2, max_digits=15)),
                ("holdings", models.PositiveIntegerField()),
                ("received", models.DecimalField(decimal_places=2, max_digits=15)),
                ("trail", models.DecimalField(decimal_places=2, max_digits=15)),
                ("lines", models.PositiveIntegerField()),
                ("payable", models.DecimalField(decimal_places=2, max_digits=15)),
                ("unshared", models.PositiveIntegerField(verbose_name="lines without a share")),
                ("paid", models.DecimalField(decimal_places=2, max_digits=15)),
            ],
            options={
                "db_table": "v_earnings_months",
                "managed": False,
            },
        ),
        migrations.RunSQL(VIEWS, NO_VIEWS),
        migrations.RunSQL(TELLS, TELLS_NOBODY),
    ]
