"""A fresh KYC that stopped at something that no step asks for waits for us, and not for the investor."""

from django.db import migrations

# As in 0025, with `kyc_stopped`: every complaint of FP has an empty `step`.
VIEW = """
CREATE OR REPLACE VIEW v_applications WITH (security_invoker = true) AS
SELECT 'i' || i.id AS ref, split_part(found.at_, ' ', 1) AS stage, split_part(found.at_, ' ', 2) AS why,
       CASE split_part(found.at_, ' ', 2)
            WHEN 'kyc_refused' THEN c.checked_at
            WHEN 'registry_works' THEN c.checked_at
            WHEN 'registries_follow' THEN k.decided_at
            WHEN 'kyc_desk' THEN k.submitted_at
            WHEN 'kyc_sent' THEN coalesce(k.submitted_at, k.state_since)
            WHEN 'kyc_rejected' THEN k.state_since
            WHEN 'kyc_expired' THEN k.state_since
            WHEN 'kyc_papers' THEN k.state_since
            WHEN 'kyc_stopped' THEN k.state_since
            WHEN 'filling_in' THEN i.created_at
            ELSE i.state_since END AS since,
       CASE WHEN split_part(found.at_, ' ', 2) = 'kyc_papers' THEN k.expires_at END AS until,
       i.state <> 'READY' AS is_open, i.id AS investor_id, NULL::bigint AS invite_id
  FROM investors_investor i
 CROSS JOIN LATERAL (
       SELECT coalesce(CASE WHEN i.kind = 'MINOR' THEN i.guardian_pan_index ELSE i.pan_index END, '') AS index) own
  LEFT JOIN LATERAL (
       SELECT r.state, r.state_since, r.submitted_at, r.approved_at, r.decided_at, r.expires_at, r.refusal
         FROM investors_kycrequest r WHERE r.investor_id = i.id ORDER BY r.id DESC LIMIT 1) k ON i.state = 'DRAFT'
  LEFT JOIN LATERAL (
       SELECT v.is_compliant, v.reason, v.checked_at FROM investors_kyccheck v
        WHERE v.investor_id = i.id AND own.index IN ('', v.pan_index) ORDER BY v.checked_at DESC, v.id DESC LIMIT 1) c
    ON i.state = 'DRAFT'
 CROSS JOIN LATERAL (SELECT CASE
       WHEN i.state = 'READY' THEN 'READY ready'
       WHEN i.state = 'REGISTERING' AND i.due_at IS NOT NULL THEN 'WE_CHECK registering'
       WHEN i.state = 'REGISTERING' AND (i.refusal @> '[{"field": ""}]' OR i.refusal @> '[{"step": ""}]')
            THEN 'WE_CHECK registration_stopped'
       WHEN i.state = 'REGISTERING' THEN 'YOU_ACT registration_refused'
       WHEN c.is_compliant THEN 'IN_PROGRESS filling_in'
       WHEN k.state IN ('DRAFT', 'PENDING') AND k.submitted_at IS NOT NULL AND k.approved_at IS NULL
            THEN 'WE_CHECK kyc_desk'
       WHEN k.state = 'SUBMITTED' OR k.state IN ('DRAFT', 'PENDING') AND k.submitted_at IS NOT NULL AND k.refusal = '[]'
            THEN 'WE_CHECK kyc_sent'
       WHEN k.state IN ('DRAFT', 'PENDING') AND k.refusal @> '[{"step": ""}]'
            AND NOT jsonb_path_exists(k.refusal, '$[*] ? (!exists(@.step))') THEN 'WE_CHECK kyc_stopped'
       WHEN k.state IN ('DRAFT', 'PENDING') THEN 'YOU_ACT kyc_papers'
       WHEN k.state = 'REJECTED' THEN 'YOU_ACT kyc_rejected'
       WHEN k.state = 'EXPIRED' THEN 'YOU_ACT kyc_expired'
       WHEN k.state = 'SUCCESSFUL' AND c.is_compliant IS NOT NULL THEN 'WE_CHECK registries_follow'
       WHEN c.is_compliant = false AND lower(c.reason) IN ('underprocess', 'under_process')
            THEN 'WE_CHECK registry_works'
       WHEN c.is_compliant = false THEN 'YOU_ACT kyc_refused'
       ELSE 'IN_PROGRESS filling_in' END AS at_) found
 WHERE NOT EXISTS (SELECT FROM investors_merge m WHERE m.gone_id = i.id AND m.state = 'APPLIED')
UNION ALL
SELECT 'v' || v.id, 'INVITED', 'invited', coalesce(v.sent_at, v.created_at), v.expires_at, true, NULL, v.id
  FROM investors_invite v WHERE v.used_at IS NULL AND v.revoked_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0034_mandate_refusals")]
    # Taken back with the view of 0009, which then finds none.
    operations = [migrations.RunSQL(VIEW, "DROP VIEW v_applications")]
