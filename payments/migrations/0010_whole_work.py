"""The inbox, whole: every row that is sent by attempts may be unknown, and every act of two persons waits in it.

Cheques that nobody has compared yet and SIPs that were not accepted came late to it. See 0007 for how it is made.
"""

from django.db import migrations

VIEW = """
CREATE OR REPLACE VIEW portal_work WITH (security_invoker = true) AS
SELECT w.subject_kind || ':' || w.subject_id AS ref, w.source, w.subject_kind, w.subject_id, w.title, w.since,
       w.rupees, coalesce(w.holder, h.owner_id) AS owner_id, w.asked_by_id, h.snoozed_until, h.set_aside_at
  FROM (
    SELECT CASE WHEN c.kind LIKE 'reconciliation%' THEN 'break' WHEN c.kind LIKE 'approval%' THEN 'approval'
                ELSE 'case' END AS source,
           'portal.case' AS subject_kind, c.id::text AS subject_id, c.code || ': ' || c.title AS title,
           c.opened_at AS since, c.rupees, c.owner_id AS holder, NULL::bigint AS asked_by_id
      FROM portal_case c WHERE c.state = 'OPEN'
    UNION ALL
    SELECT 'unknown', 'orders.mforder', id::text, code, coalesce(unknown_since, state_since), amount, NULL, NULL
      FROM orders_mforder WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
    UNION ALL
    SELECT 'unknown', 'payments.payment', id::text, code, coalesce(unknown_since, state_since), amount, NULL, NULL
      FROM payments_payment WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
    UNION ALL
    SELECT 'unknown', 'orders.plan', id::text, code, coalesce(unknown_since, state_since), amount, NULL, NULL
      FROM orders_plan WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
    UNION ALL
    SELECT 'unknown', 'orders.planchange', id::text, code, coalesce(unknown_since, state_since), NULL, NULL, NULL
      FROM orders_planchange WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
    UNION ALL
    SELECT 'unknown', 'investors.mandate', id::text, code, coalesce(unknown_since, state_since), NULL, NULL, NULL
      FROM investors_mandate WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
    UNION ALL
    SELECT 'unknown', 'investors.investor', id::text, code || ': registration', coalesce(unknown_since, state_since),
           NULL, NULL, NULL
      FROM investors_investor WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
    UNION ALL
    SELECT 'unknown', 'investors.kycrequest', id::text, code, coalesce(unknown_since, state_since), NULL, NULL, NULL
      FROM investors_kycrequest WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
    UNION ALL
    SELECT 'unknown', 'investors.changerequest', id::text, code || ': ' || lower(replace(what, '_', ' ')),
           coalesce(unknown_since, state_since), NULL, NULL, NULL
      FROM investors_changerequest WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
    UNION ALL
    SELECT 'unknown', 'orders.basketorder', b.id::text, b.code, min(u.since), sum(u.rupees), NULL, NULL
      FROM (
        SELECT id AS journey, coalesce(unknown_since, state_since) AS since, NULL::numeric AS rupees
          FROM orders_basketorder WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
        UNION ALL
        SELECT basket_order_id, coalesce(unknown_since, state_since), quantity * price
          FROM orders_stockorder WHERE attempt = 'UNKNOWN' AND due_at IS NOT NULL
        UNION ALL
        SELECT s.basket_order_id, coalesce(c.unknown_since, c.state_since), NULL
          FROM orders_stockchange c JOIN orders_stockorder s ON s.id = c.stock_order_id
         WHERE c.attempt = 'UNKNOWN' AND c.due_at IS NOT NULL
      ) u JOIN orders_basketorder b ON b.id = u.journey GROUP BY b.id, b.code
    UNION ALL
    SELECT 'kyc', 'investors.bankaccount', id::text, code || ': cancelled cheque', created_at, NULL, NULL, NULL
      FROM investors_bankaccount WHERE cancelled_cheque_id IS NOT NULL AND verified = '' AND closed_at IS NULL
    UNION ALL
    SELECT 'kyc', 'investors.kycrequest', id::text, code, submitted_at, NULL, NULL, resent_by_id
      FROM investors_kycrequest
     WHERE state IN ('DRAFT', 'PENDING') AND submitted_at IS NOT NULL AND approved_at IS NULL
    UNION ALL
    SELECT 'mandate', 'investors.mandate', m.id::text, m.code || CASE WHEN m.reason = '' THEN '' ELSE ': ' || m.reason END,
           m.state_since, NULL, NULL, NULL
      FROM investors_mandate m
     WHERE m.state = 'REJECTED' AND NOT EXISTS (SELECT 1 FROM investors_mandate n WHERE n.previous_id = m.id)
    UNION ALL
    SELECT 'sip', 'orders.plan', id::text, code || ': ' || bounces_in_a_row || ' failed in a row', state_since, amount,
           NULL, NULL
      FROM orders_plan WHERE bounces_in_a_row > 0 AND state = 'ACTIVE' AND attempt <> 'UNKNOWN'
    UNION ALL
    SELECT 'sip', 'orders.plan', id::text, code || ': not accepted', state_since, amount, NULL, NULL
      FROM orders_plan WHERE state = 'FAILED'
    UNION ALL
    SELECT 'event', 'portal.inboundevent', id::text, provider || ' ' || kind, received_at, NULL, NULL, NULL
      FROM portal_inboundevent WHERE state = 'FAILED'
    UNION ALL
    SELECT 'approval', 'portal.proposal', id::text, code || ': ' || title, asked_at, rupees, NULL, asked_by_id
      FROM portal_proposal WHERE state = 'ASKED'
    UNION ALL
    SELECT 'approval', 'portal.rolechange', id::text,
           CASE WHEN give THEN 'Give the role ' ELSE 'Take the role ' END || role, asked_at, NULL, NULL, asked_by_id
      FROM portal_rolechange WHERE state = 'ASKED'
    UNION ALL
    SELECT 'approval', 'investors.merge', id::text, code || ': merge two investors', asked_at, NULL, NULL, asked_by_id
      FROM investors_merge WHERE state = 'ASKED'
    UNION ALL
    SELECT 'approval', 'investors.changerequest', id::text, code || ': ' || lower(replace(what, '_', ' ')), state_since,
           NULL, NULL, asked_by_id
      FROM investors_changerequest WHERE state = 'CHECKING'
    UNION ALL
    SELECT 'approval', 'orders.basketversion', v.id::text, 'Publish ' || b.name || ', version ' || v.number,
           v.drafted_at, NULL, NULL, v.drafted_by_id
      FROM orders_basketversion v JOIN orders_basket b ON b.id = v.basket_id
     WHERE v.published_at IS NULL AND b.state <> 'ARCHIVED'
       AND EXISTS (SELECT 1 FROM orders_basketconstituent c WHERE c.version_id = v.id)
    UNION ALL
    SELECT 'approval', 'orders.basketchange', c.id::text, 'Other words for ' || b.name, c.asked_at, NULL, NULL,
           c.asked_by_id
      FROM orders_basketchange c JOIN orders_basket b ON b.id = c.basket_id WHERE c.state = 'WAITING'
  ) w
  LEFT JOIN portal_handling h ON h.subject_kind = w.subject_kind AND h.subject_id = w.subject_id;
"""

INDEXES = """
CREATE INDEX bank_account_cheque_waits ON investors_bankaccount (created_at)
    WHERE cancelled_cheque_id IS NOT NULL AND verified = '' AND closed_at IS NULL;
CREATE INDEX plan_not_accepted ON orders_plan (state_since) WHERE state = 'FAILED';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0009_failed_debits"),
        ("orders", "0031_sip_notices"),
        ("investors", "0020_partner_wall"),
        ("portal", "0014_desk"),
    ]
    operations = [
        # The way back keeps the view: it reads the same columns, only of more rows.
        migrations.RunSQL(VIEW, migrations.RunSQL.noop),
        migrations.RunSQL(INDEXES, "DROP INDEX bank_account_cheque_waits, plan_not_accepted"),
    ]
