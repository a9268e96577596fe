"""The inbox: everything that waits for a person, read from every table at once."""

from django.db import migrations

# Everything that needs a person, computed from the rows themselves (`portal/desk`); `portal.WorkItem` reads it. The
# view stands in this app because it sees cases, people, orders and payments. A branch costs an index each: unknown
# outcomes have a time at which they are looked at, so the partial index on `due_at` finds them.
#
# Everything has its moment: a case by its kind, the rest by what it is. Nobody need look at an unknown outcome for
# fifteen minutes, after which it is a case. Papers and approvals are promised within a working day
# (`investors/change_words.py`); whom to call about a mandate or a SIP may take two. A working day ends at six in the
# evening, as in `portal/case_terms.py`.
WORK = """
CREATE FUNCTION payments_working_day(since timestamptz, days integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT (d::date + time '18:00') AT TIME ZONE 'Asia/Kolkata'
      FROM generate_series((since AT TIME ZONE 'Asia/Kolkata')::date + 1,
                           (since AT TIME ZONE 'Asia/Kolkata')::date + 30, interval '1 day') d
     WHERE extract(isodow FROM d) < 6 AND NOT EXISTS (SELECT 1 FROM orders_holiday h WHERE h."on" = d::date)
     ORDER BY d OFFSET days - 1 LIMIT 1
$$;

CREATE VIEW portal_work WITH (security_invoker = true) AS
SELECT w.subject_kind || ':' || w.subject_id AS ref, w.source, w.subject_kind, w.subject_id, w.title, w.since,
       w.rupees, coalesce(w.holder, h.owner_id) AS owner_id, w.asked_by_id, h.snoozed_until, h.set_aside_at,
       coalesce(k.due_at, CASE w.source
           WHEN 'unknown' THEN w.since + interval '15 minutes'
           WHEN 'event' THEN w.since + interval '1 hour'
           WHEN 'kyc' THEN payments_working_day(w.since, 1)
           WHEN 'approval' THEN payments_working_day(w.since, 1)
           ELSE payments_working_day(w.since, 2) END) AS due_at
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
    SELECT 'mandate', 'investors.mandate', m.id::text, m.code || CASE WHEN m.reason = '' THEN '' ELSE ': ' ||
        m.reason END,
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
  LEFT JOIN portal_handling h ON h.subject_kind = w.subject_kind AND h.subject_id = w.subject_id
  LEFT JOIN portal_case k ON w.subject_kind = 'portal.case' AND k.state = 'OPEN' AND k.id = w.subject_id::bigint;
CREATE INDEX event_failed ON portal_inboundevent (received_at) WHERE state = 'FAILED';
CREATE INDEX mandate_rejected ON investors_mandate (state_since) WHERE state = 'REJECTED';
CREATE INDEX plan_bounced ON orders_plan (id) WHERE bounces_in_a_row > 0;
CREATE INDEX kyc_request_at_the_desk ON investors_kycrequest (submitted_at)
    WHERE submitted_at IS NOT NULL AND approved_at IS NULL;
CREATE INDEX change_request_checked ON investors_changerequest (state_since) WHERE state = 'CHECKING';
CREATE TRIGGER a_holiday_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON orders_holiday
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('orders.holiday');
CREATE INDEX bank_account_cheque_waits ON investors_bankaccount (created_at)
    WHERE cancelled_cheque_id IS NOT NULL AND verified = '' AND closed_at IS NULL;
CREATE INDEX plan_not_accepted ON orders_plan (state_since) WHERE state = 'FAILED';
"""


class Migration(migrations.Migration):
    replaces = [("payments", "0007_work"), ("payments", "0010_whole_work"), ("payments", "0011_due")]
    dependencies = [("payments", "0002_payment_guards")]
    operations = [
        migrations.RunSQL(WORK),
    ]
