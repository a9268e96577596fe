"""A login's contacts change apart whoever of its people asks; the guardian's KYC counts; EUIN of an invitation; merges."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# Contacts are a login's: what one of its people changes counts for the others. The login's row is locked, so that of two
# that begin at the same moment the later one sees the earlier.
APART = """
CREATE OR REPLACE FUNCTION investors_keep_contacts_apart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true); whose bigint; is_open boolean; is_near boolean;
BEGIN
    PERFORM set_config('portal.scope', 'all', true);
    SELECT user_id INTO whose FROM investors_investor WHERE id = NEW.investor_id;
    PERFORM FROM portal_user WHERE id = whose FOR NO KEY UPDATE;
    is_open := EXISTS (
        SELECT FROM investors_changerequest c JOIN investors_investor i ON i.id = c.investor_id
         WHERE i.user_id = whose AND c.id <> NEW.id AND c.what IN ('EMAIL', 'MOBILE')
           AND c.state IN ('COOLING', 'CHECKING', 'SENDING'));
    is_near := EXISTS (
        SELECT FROM investors_changerequest c JOIN investors_investor i ON i.id = c.investor_id
         WHERE i.user_id = whose AND c.what IN ('EMAIL', 'MOBILE') AND c.what <> NEW.what
           AND c.state = 'DONE' AND c.done_at > NEW.state_since - interval '10 days');
    PERFORM set_config('portal.scope', coalesce(before, ''), true);
    IF is_open THEN
        RAISE EXCEPTION 'one contact of a login changes at a time' USING ERRCODE = 'integrity_constraint_violation';
    ELSIF is_near AND NEW.state = 'SENDING' THEN
        RAISE EXCEPTION 'email and mobile change ten days apart' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER email_and_mobile_change_ten_days_apart ON investors_changerequest;
CREATE TRIGGER contacts_of_a_login_change_apart BEFORE UPDATE OF state ON investors_changerequest
    FOR EACH ROW WHEN (NEW.what IN ('EMAIL', 'MOBILE') AND NEW.state IN ('COOLING', 'CHECKING', 'SENDING')
        AND (OLD.state = 'ASKED' OR NEW.state = 'SENDING' AND OLD.state <> 'SENDING'))
    EXECUTE FUNCTION investors_keep_contacts_apart();
"""
# Back to the trigger that asked for less; its function stays the stricter one, which a release before accepts too.
NOT_APART = """
DROP TRIGGER contacts_of_a_login_change_apart ON investors_changerequest;
CREATE TRIGGER email_and_mobile_change_ten_days_apart BEFORE UPDATE OF state ON investors_changerequest
    FOR EACH ROW WHEN (NEW.what IN ('EMAIL', 'MOBILE') AND NEW.state = 'SENDING' AND OLD.state <> 'SENDING')
    EXECUTE FUNCTION investors_keep_contacts_apart();
"""

# As before, except that the registries are asked about a minor's guardian, so the answer that counts is about that PAN.
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
            WHEN 'filling_in' THEN i.created_at
            ELSE i.state_since END AS since,
       CASE WHEN split_part(found.at_, ' ', 2) = 'kyc_papers' THEN k.expires_at END AS until,
       i.state <> 'READY' AS is_open, i.id AS investor_id, NULL::bigint AS invite_id
  FROM investors_investor i
  LEFT JOIN LATERAL (
       SELECT r.state, r.state_since, r.submitted_at, r.approved_at, r.decided_at, r.expires_at, r.refusal
         FROM investors_kycrequest r WHERE r.investor_id = i.id ORDER BY r.id DESC LIMIT 1) k ON i.state = 'DRAFT'
  LEFT JOIN LATERAL (
       SELECT v.is_compliant, v.reason, v.checked_at FROM investors_kyccheck v
        WHERE v.investor_id = i.id AND v.pan_index = CASE WHEN i.kind = 'MINOR' THEN i.guardian_pan_index ELSE i.pan_index END
        ORDER BY v.checked_at DESC, v.id DESC LIMIT 1) c
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
    dependencies = [
        ("investors", "0020_partner_wall"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="investor",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="investor",
            name="update_update",
        ),
        migrations.AddField(
            model_name="investor",
            name="euin",
            field=models.CharField(blank=True, editable=False, max_length=7, verbose_name="EUIN of the invitation"),
        ),
        migrations.AddField(
            model_name="investorevent",
            name="euin",
            field=models.CharField(blank=True, editable=False, max_length=7, verbose_name="EUIN of the invitation"),
        ),
        migrations.AddField(
            model_name="merge",
            name="took_login",
            field=models.BooleanField(default=False, editable=False),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="investor",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "investors_investorevent" ("attempt", "attempt_no", "code", "confirmed_from", "country_of_birth", "country_of_citizenship", "created_at", "date_of_birth", "due_at", "euin", "father_or_spouse_is", "father_or_spouse_name", "gender", "gross_annual_income", "guardian_date_of_birth", "guardian_name", "guardian_pan", "guardian_pan_index", "guardian_relationship", "id", "is_politically_exposed", "is_related_to_politically_exposed", "isd_code", "kind", "lease_until", "looks", "marital_status", "mobile", "mothers_name", "name", "nomination_opted_out", "occupation", "office_phone", "pan", "pan_index", "partner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_ref", "refusal", "residence_phone", "source_of_wealth", "state", "state_since", "tax_resident_only_in_india", "unknown_since", "user_id") VALUES (NEW."attempt", NEW."attempt_no", NEW."code", NEW."confirmed_from", NEW."country_of_birth", NEW."country_of_citizenship", NEW."created_at", NEW."date_of_birth", NEW."due_at", NEW."euin", NEW."father_or_spouse_is", NEW."father_or_spouse_name", NEW."gender", NEW."gross_annual_income", NEW."guardian_date_of_birth", NEW."guardian_name", NEW."guardian_pan", NEW."guardian_pan_index", NEW."guardian_relationship", NEW."id", NEW."is_politically_exposed", NEW."is_related_to_politically_exposed", NEW."isd_code", NEW."kind", NEW."lease_until", NEW."looks", NEW."marital_status", NEW."mobile", NEW."mothers_name", NEW."name", NEW."nomination_opted_out", NEW."occupation", NEW."office_phone", NEW."pan", NEW."pan_index", NEW."partner_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."provider_ref", NEW."refusal", NEW."residence_phone", NEW."source_of_wealth", NEW."state", NEW."state_since", NEW."tax_resident_only_in_india", NEW."unknown_since", NEW."user_id"); RETURN NULL;',
                    hash="4699566d9d5a7620367bd79546fe33a9754dc79c",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_e190b",
                    table="investors_investor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="investor",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "investors_investorevent" ("attempt", "attempt_no", "code", "confirmed_from", "country_of_birth", "country_of_citizenship", "created_at", "date_of_birth", "due_at", "euin", "father_or_spouse_is", "father_or_spouse_name", "gender", "gross_annual_income", "guardian_date_of_birth", "guardian_name", "guardian_pan", "guardian_pan_index", "guardian_relationship", "id", "is_politically_exposed", "is_related_to_politically_exposed", "isd_code", "kind", "lease_until", "looks", "marital_status", "mobile", "mothers_name", "name", "nomination_opted_out", "occupation", "office_phone", "pan", "pan_index", "partner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_ref", "refusal", "residence_phone", "source_of_wealth", "state", "state_since", "tax_resident_only_in_india", "unknown_since", "user_id") VALUES (NEW."attempt", NEW."attempt_no", NEW."code", NEW."confirmed_from", NEW."country_of_birth", NEW."country_of_citizenship", NEW."created_at", NEW."date_of_birth", NEW."due_at", NEW."euin", NEW."father_or_spouse_is", NEW."father_or_spouse_name", NEW."gender", NEW."gross_annual_income", NEW."guardian_date_of_birth", NEW."guardian_name", NEW."guardian_pan", NEW."guardian_pan_index", NEW."guardian_relationship", NEW."id", NEW."is_politically_exposed", NEW."is_related_to_politically_exposed", NEW."isd_code", NEW."kind", NEW."lease_until", NEW."looks", NEW."marital_status", NEW."mobile", NEW."mothers_name", NEW."name", NEW."nomination_opted_out", NEW."occupation", NEW."office_phone", NEW."pan", NEW."pan_index", NEW."partner_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."provider_ref", NEW."refusal", NEW."residence_phone", NEW."source_of_wealth", NEW."state", NEW."state_since", NEW."tax_resident_only_in_india", NEW."unknown_since", NEW."user_id"); RETURN NULL;',
                    hash="cdd68176d231c7b60ff31e652d5ae22611170373",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ee4ec",
                    table="investors_investor",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(APART, NOT_APART),
        # Taken back with the view of 0009, which then finds none.
        migrations.RunSQL(VIEW, "DROP VIEW v_applications"),
    ]
