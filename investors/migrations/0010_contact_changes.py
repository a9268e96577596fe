"""Changes of contact: the new address proves itself, one contact at a time, and a login follows nothing else.

The address of a ready investor's login changes only while a change of it is being passed on, whichever page or command
writes it: otherwise the code, the cooling-off and the notices of `investors/changes.py` could be walked around.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

GUARDS = """
CREATE FUNCTION investors_login_is_kept(who bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true); kept boolean;
BEGIN
    PERFORM set_config('portal.scope', 'all', true);
    kept := EXISTS (SELECT 1 FROM investors_investor WHERE user_id = who AND state = 'READY')
        AND coalesce(current_setting('portal.erasing', true), '') <> 'on'
        AND NOT EXISTS (
            SELECT 1 FROM investors_changerequest c JOIN investors_investor i ON i.id = c.investor_id
             WHERE i.user_id = who AND c.what = 'EMAIL' AND c.state = 'SENDING'
        );
    PERFORM set_config('portal.scope', coalesce(before, ''), true);
    RETURN kept;
END $$;

CREATE FUNCTION investors_guard_login() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF lower(NEW.email) <> lower(OLD.email) AND investors_login_is_kept(NEW.id) THEN
        RAISE EXCEPTION 'the login of a ready investor changes by a change request'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER login_of_an_investor_changes_by_request BEFORE UPDATE OF email ON portal_user
    FOR EACH ROW EXECUTE FUNCTION investors_guard_login();

-- A second proved address would be a second way in.
CREATE FUNCTION investors_guard_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.verified AND lower(NEW.email) <> lower((SELECT email FROM portal_user WHERE id = NEW.user_id))
            AND investors_login_is_kept(NEW.user_id) THEN
        RAISE EXCEPTION 'an investor who is ready signs in with one address'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER an_investor_signs_in_with_one_address BEFORE INSERT OR UPDATE ON account_emailaddress
    FOR EACH ROW EXECUTE FUNCTION investors_guard_address();

-- AMFI 2018: ten days between a change of email and a change of mobile.
CREATE FUNCTION investors_keep_contacts_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM investors_changerequest
         WHERE investor_id = NEW.investor_id AND what IN ('EMAIL', 'MOBILE') AND what <> NEW.what
           AND state = 'DONE' AND done_at > NEW.state_since - interval '10 days'
    ) THEN
        RAISE EXCEPTION 'email and mobile change ten days apart' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER email_and_mobile_change_ten_days_apart BEFORE UPDATE OF state ON investors_changerequest
    FOR EACH ROW WHEN (NEW.what IN ('EMAIL', 'MOBILE') AND NEW.state = 'SENDING' AND OLD.state <> 'SENDING')
    EXECUTE FUNCTION investors_keep_contacts_apart();
"""
UNGUARD = """
DROP TRIGGER email_and_mobile_change_ten_days_apart ON investors_changerequest;
DROP TRIGGER an_investor_signs_in_with_one_address ON account_emailaddress;
DROP TRIGGER login_of_an_investor_changes_by_request ON portal_user;
DROP FUNCTION investors_keep_contacts_apart();
DROP FUNCTION investors_guard_address();
DROP FUNCTION investors_guard_login();
DROP FUNCTION investors_login_is_kept(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("investors", "0009_desk_guards"),
        ("account", "0009_emailaddress_unique_primary_email"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="changerequest",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="changerequest",
            name="update_update",
        ),
        migrations.AddField(
            model_name="changerequest",
            name="proof",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="investors.consent",
            ),
        ),
        migrations.AddField(
            model_name="changerequestevent",
            name="proof",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="investors.consent",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="changerequest",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "investors_changerequestevent" ("after", "asked_by_id", "attempt", "attempt_no", "before", "code", "consent_id", "created_at", "decided_by_id", "done_at", "due_at", "effective_at", "form_ref", "id", "investor_id", "lease_until", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proof_id", "reason", "refusal", "state", "state_since", "unknown_since", "what") VALUES (NEW."after", NEW."asked_by_id", NEW."attempt", NEW."attempt_no", NEW."before", NEW."code", NEW."consent_id", NEW."created_at", NEW."decided_by_id", NEW."done_at", NEW."due_at", NEW."effective_at", NEW."form_ref", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."proof_id", NEW."reason", NEW."refusal", NEW."state", NEW."state_since", NEW."unknown_since", NEW."what"); RETURN NULL;',
                    hash="aec394cd26dc98b8e17e3f65d288a706a97d8297",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_f2702",
                    table="investors_changerequest",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="changerequest",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "investors_changerequestevent" ("after", "asked_by_id", "attempt", "attempt_no", "before", "code", "consent_id", "created_at", "decided_by_id", "done_at", "due_at", "effective_at", "form_ref", "id", "investor_id", "lease_until", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proof_id", "reason", "refusal", "state", "state_since", "unknown_since", "what") VALUES (NEW."after", NEW."asked_by_id", NEW."attempt", NEW."attempt_no", NEW."before", NEW."code", NEW."consent_id", NEW."created_at", NEW."decided_by_id", NEW."done_at", NEW."due_at", NEW."effective_at", NEW."form_ref", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."proof_id", NEW."reason", NEW."refusal", NEW."state", NEW."state_since", NEW."unknown_since", NEW."what"); RETURN NULL;',
                    hash="0655271a5e0c8bb7d1323dd635b917319c0f1085",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_b9c8f",
                    table="investors_changerequest",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="changerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("ASKED", "WITHDRAWN", "REFUSED")), ("consent__isnull", False), _connector="OR"
                ),
                name="a_change_begins_with_a_consent",
            ),
        ),
        migrations.AddConstraint(
            model_name="changerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("ASKED", "WITHDRAWN", "REFUSED")),
                    models.Q(("what", "EMAIL"), _negated=True),
                    ("proof__isnull", False),
                    _connector="OR",
                ),
                name="a_new_email_address_has_proved_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="changerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("state__in", ("COOLING", "CHECKING", "SENDING")), ("what__in", ("EMAIL", "MOBILE"))
                ),
                fields=("investor",),
                name="one_contact_changes_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="changerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("attempt", ""), _negated=True),
                fields=("investor",),
                name="one_change_of_an_investor_is_sent_at_a_time",
            ),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
