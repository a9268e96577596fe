"""The inbox of operations: everything that needs a person, computed from the rows themselves (`portal/desk`).

It stands in this app because the view sees cases, people, orders and payments; `portal.WorkItem` reads it. A branch costs
an index each: unknown outcomes have a time at which they are looked at, so the partial index on `due_at` finds them.
"""

from django.db import migrations

# security_invoker: the view sees what its reader may see, so the row-level wall holds through it.
VIEW = """
CREATE VIEW portal_work WITH (security_invoker = true) AS
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
  ) w
  LEFT JOIN portal_handling h ON h.subject_kind = w.subject_kind AND h.subject_id = w.subject_id;
"""

INDEXES = """
CREATE INDEX event_failed ON portal_inboundevent (received_at) WHERE state = 'FAILED';
CREATE INDEX mandate_rejected ON investors_mandate (state_since) WHERE state = 'REJECTED';
CREATE INDEX plan_bounced ON orders_plan (id) WHERE bounces_in_a_row > 0;
CREATE INDEX kyc_request_at_the_desk ON investors_kycrequest (submitted_at)
    WHERE submitted_at IS NOT NULL AND approved_at IS NULL;
CREATE INDEX change_request_checked ON investors_changerequest (state_since) WHERE state = 'CHECKING';

CREATE TRIGGER a_holiday_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON orders_holiday
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('orders.holiday');
"""
NO_INDEXES = """
DROP TRIGGER a_holiday_changes_by_a_proposal ON orders_holiday;
DROP INDEX event_failed, mandate_rejected, plan_bounced, kyc_request_at_the_desk, change_request_checked;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0006_partner_wall"),
        ("orders", "0021_partner_wall"),
        ("investors", "0020_partner_wall"),
        ("portal", "0014_desk"),
    ]
    operations = [
        migrations.RunSQL(VIEW, "DROP VIEW portal_work"),
        migrations.RunSQL(INDEXES, NO_INDEXES),
    ]
