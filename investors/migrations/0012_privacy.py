"""Copies of one's data, wishes to be forgotten, and the cheque of a new bank account.

A registry's answer never changes, except that it is emptied when somebody is erased: the PAN stands in its words.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = ["investors_dataexport", "investors_erasurerequest"]
ERASABLE = """
DROP TRIGGER kyc_check_never_changes ON investors_kyccheck;
CREATE TRIGGER kyc_check_never_changes BEFORE UPDATE OR DELETE ON investors_kyccheck
    FOR EACH ROW WHEN (coalesce(current_setting('portal.erasing', true), '') <> 'on')
    EXECUTE FUNCTION portal_refuse_change();
"""
FIXED = """
DROP TRIGGER kyc_check_never_changes ON investors_kyccheck;
CREATE TRIGGER kyc_check_never_changes BEFORE UPDATE OR DELETE ON investors_kyccheck
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("investors", "0011_investor_record"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataExport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(editable=False, max_length=20, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("ASKED", "being made"), ("MADE", "ready"), ("GONE", "no longer kept")],
                        default="ASKED",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("state_since", models.DateTimeField(editable=False)),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("made_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("vault_name", models.CharField(blank=True, editable=False, max_length=80)),
                ("byte_size", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "taken_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last downloaded"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ErasureRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(editable=False, max_length=20, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("HELD", "held for the time that the law sets"),
                            ("DONE", "erased"),
                            ("WITHDRAWN", "withdrawn"),
                        ],
                        default="HELD",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("state_since", models.DateTimeField(editable=False)),
                ("asked_at", models.DateTimeField()),
                ("held_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("why", models.CharField(blank=True, editable=False, max_length=300, verbose_name="why it is held")),
                ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("done_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("outcome", models.JSONField(blank=True, default=dict, editable=False)),
            ],
        ),
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
            name="paper",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="investors.document",
            ),
        ),
        migrations.AddField(
            model_name="changerequestevent",
            name="paper",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="investors.document",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="changerequest",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "investors_changerequestevent" ("after", "asked_by_id", "attempt", "attempt_no", "before", "code", "consent_id", "created_at", "decided_by_id", "done_at", "due_at", "effective_at", "form_ref", "id", "investor_id", "lease_until", "looks", "paper_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proof_id", "reason", "refusal", "state", "state_since", "unknown_since", "what") VALUES (NEW."after", NEW."asked_by_id", NEW."attempt", NEW."attempt_no", NEW."before", NEW."code", NEW."consent_id", NEW."created_at", NEW."decided_by_id", NEW."done_at", NEW."due_at", NEW."effective_at", NEW."form_ref", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", NEW."paper_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."proof_id", NEW."reason", NEW."refusal", NEW."state", NEW."state_since", NEW."unknown_since", NEW."what"); RETURN NULL;',
                    hash="e5fd238971744d9a14771680d2e7a5244fc95581",
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
                    func='INSERT INTO "investors_changerequestevent" ("after", "asked_by_id", "attempt", "attempt_no", "before", "code", "consent_id", "created_at", "decided_by_id", "done_at", "due_at", "effective_at", "form_ref", "id", "investor_id", "lease_until", "looks", "paper_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proof_id", "reason", "refusal", "state", "state_since", "unknown_since", "what") VALUES (NEW."after", NEW."asked_by_id", NEW."attempt", NEW."attempt_no", NEW."before", NEW."code", NEW."consent_id", NEW."created_at", NEW."decided_by_id", NEW."done_at", NEW."due_at", NEW."effective_at", NEW."form_ref", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", NEW."paper_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."proof_id", NEW."reason", NEW."refusal", NEW."state", NEW."state_since", NEW."unknown_since", NEW."what"); RETURN NULL;',
                    hash="b2a9ecc019804962b0ca0a2882b9f23bee165a3a",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_b9c8f",
                    table="investors_changerequest",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="dataexport",
            name="consent",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="investors.consent"
            ),
        ),
        migrations.AddField(
            model_name="dataexport",
            name="investor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="investors.investor"
            ),
        ),
        migrations.AddField(
            model_name="erasurerequest",
            name="consent",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="investors.consent"
            ),
        ),
        migrations.AddField(
            model_name="erasurerequest",
            name="investor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="investors.investor"
            ),
        ),
        migrations.AddIndex(
            model_name="dataexport",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="data_export_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="dataexport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ASKED")), fields=("investor",), name="one_export_is_made_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="dataexport",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "MADE"), ("vault_name", ""), _connector="XOR"),
                name="a_copy_is_kept_while_it_is_ready",
            ),
        ),
        migrations.AddIndex(
            model_name="erasurerequest",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="erasure_due"),
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "HELD")), fields=("investor",), name="one_erasure_is_held_per_investor"
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "DONE"), _negated=True),
                    models.Q(("done_at__gte", models.F("held_until")), ("done_at__isnull", False)),
                    _connector="OR",
                ),
                name="nothing_is_erased_before_its_term",
            ),
        ),
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED],
        migrations.RunSQL(ERASABLE, FIXED),
    ]
