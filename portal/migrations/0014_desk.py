"""The desk: proposals that a second person decides, acts on many rows, who works on what, and doors of audit entries."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.scope import policies_sql, without_policies_sql

STAFF = {"ALL": "current_setting('portal.scope', true) = 'all'"}
TABLES = (
    "portal_proposal",
    "portal_secondpersonrule",
    "portal_handling",
    "portal_bulkrun",
    "portal_bulkline",
)

GUARDS = """
-- Entries from before doors were kept hash as they did.
CREATE OR REPLACE FUNCTION portal_audit_hash(previous text, entry portal_auditentry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN (entry).id IS NULL THEN NULL ELSE encode(sha256(convert_to((jsonb_build_array(
        previous, (entry).id, to_char((entry).at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), (entry).actor,
        (entry).action, (entry).subject_kind, (entry).subject_id, (entry).reason, (entry).data
    ) || CASE WHEN (entry).door = '' THEN '[]'::jsonb ELSE jsonb_build_array((entry).door) END)::text, 'UTF8')), 'hex') END
$$;

-- A proposal is asked for, decided once, applied once; what was asked for is never exchanged.
CREATE FUNCTION portal_proposal_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state = 'ASKED' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE'
            AND to_jsonb(OLD) - '{state,decided_by_id,decided_at,answer}'::text[]
              = to_jsonb(NEW) - '{state,decided_by_id,decided_at,answer}'::text[]
            AND (OLD.state, NEW.state) IN (('ASKED', 'APPROVED'), ('ASKED', 'REFUSED'), ('ASKED', 'WITHDRAWN'),
                                           ('APPROVED', 'APPLIED'))
            AND (OLD.state = 'ASKED' OR OLD.decided_by_id = NEW.decided_by_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a proposal is asked for, decided once and applied once'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER a_proposal_is_decided_once BEFORE INSERT OR UPDATE OR DELETE ON portal_proposal
    FOR EACH ROW EXECUTE FUNCTION portal_proposal_steps();

-- For tables that are kept as data by two persons: outside of a console a row changes for an approved proposal only.
CREATE FUNCTION portal_changes_by_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT portal_at_the_console() AND NOT EXISTS (
        SELECT 1 FROM portal_proposal WHERE subject_kind = TG_ARGV[0] AND state = 'APPROVED'
    ) THEN
        RAISE EXCEPTION 'rows of % change when a proposal is approved', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER a_rule_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON portal_secondpersonrule
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('portal.secondpersonrule');
CREATE TRIGGER a_wording_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON portal_wording
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('portal.wording');
"""
UNGUARD = """
DROP TRIGGER a_wording_changes_by_a_proposal ON portal_wording;
DROP TRIGGER a_rule_changes_by_a_proposal ON portal_secondpersonrule;
DROP FUNCTION portal_changes_by_proposal();
DROP TRIGGER a_proposal_is_decided_once ON portal_proposal;
DROP FUNCTION portal_proposal_steps();
CREATE OR REPLACE FUNCTION portal_audit_hash(previous text, entry portal_auditentry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN (entry).id IS NULL THEN NULL ELSE encode(sha256(convert_to(jsonb_build_array(
        previous, (entry).id, to_char((entry).at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), (entry).actor,
        (entry).action, (entry).subject_kind, (entry).subject_id, (entry).reason, (entry).data
    )::text, 'UTF8')), 'hex') END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0013_partner_wall"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkItem",
            fields=[
                ("ref", models.CharField(max_length=110, primary_key=True, serialize=False)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("case", "cases"),
                            ("break", "breaks of reconciliation"),
                            ("unknown", "unknown outcomes"),
                            ("kyc", "KYC to check"),
                            ("mandate", "rejected mandates"),
                            ("sip", "failed SIPs"),
                            ("event", "failed inbound events"),
                            ("approval", "approvals"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("subject_kind", models.CharField(max_length=40)),
                ("subject_id", models.CharField(max_length=40)),
                ("title", models.CharField(max_length=300)),
                ("since", models.DateTimeField()),
                (
                    "rupees",
                    models.DecimalField(decimal_places=2, max_digits=17, null=True, verbose_name="rupees at risk"),
                ),
                ("snoozed_until", models.DateTimeField(null=True)),
                ("set_aside_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "thing to do",
                "verbose_name_plural": "inbox",
                "db_table": "portal_work",
                "managed": False,
            },
        ),
        migrations.AddField(
            model_name="auditentry",
            name="door",
            field=models.CharField(blank=True, db_default="", max_length=10),
        ),
        migrations.CreateModel(
            name="BulkRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, unique=True)),
                ("subject_kind", models.CharField(max_length=40)),
                ("act", models.CharField(max_length=40)),
                ("label", models.CharField(max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "dry run"),
                            ("RUNNING", "running"),
                            ("DONE", "finished"),
                            ("STOPPED", "stopped"),
                        ],
                        default="DRAFT",
                        max_length=7,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "bulk act",
            },
        ),
        migrations.CreateModel(
            name="BulkLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_id", models.CharField(max_length=110)),
                ("title", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "to be done"),
                            ("SKIPPED", "left out"),
                            ("RUNNING", "under way"),
                            ("DONE", "done"),
                            ("FAILED", "not done"),
                            ("UNKNOWN", "outcome unknown"),
                        ],
                        default="WAITING",
                        max_length=7,
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField(blank=True, null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="portal.bulkrun"
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a bulk act",
                "verbose_name_plural": "lines of a bulk act",
            },
        ),
        migrations.CreateModel(
            name="Handling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_kind", models.CharField(max_length=40)),
                ("subject_id", models.CharField(max_length=40)),
                ("snoozed_until", models.DateTimeField(blank=True, null=True)),
                ("set_aside_at", models.DateTimeField(blank=True, null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, unique=True)),
                ("act", models.CharField(max_length=40)),
                ("subject_kind", models.CharField(max_length=40)),
                ("subject_id", models.CharField(blank=True, max_length=60)),
                ("title", models.CharField(max_length=200)),
                ("before", models.JSONField(blank=True, null=True)),
                ("after", models.JSONField(blank=True, null=True)),
                ("affects", models.CharField(blank=True, max_length=300)),
                ("rupees", models.DecimalField(blank=True, decimal_places=2, max_digits=17, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ASKED", "waits for a second person"),
                            ("APPROVED", "approved"),
                            ("APPLIED", "approved and applied"),
                            ("REFUSED", "refused"),
                            ("WITHDRAWN", "withdrawn"),
                        ],
                        default="ASKED",
                        max_length=9,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=300)),
                ("needs_second", models.BooleanField(default=True)),
                ("role", models.CharField(blank=True, max_length=40)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.CharField(blank=True, max_length=300)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SecondPersonRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("act", models.CharField(max_length=40)),
                ("needed", models.BooleanField(default=True, verbose_name="a second person decides")),
                (
                    "from_rupees",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=17, null=True, verbose_name="only from so many rupees"
                    ),
                ),
                ("role", models.CharField(blank=True, max_length=40, verbose_name="role that decides")),
                ("valid_from", models.DateTimeField()),
            ],
            options={
                "verbose_name": "rule of two persons",
                "verbose_name_plural": "rules of two persons",
                "constraints": [
                    models.UniqueConstraint(fields=("act", "valid_from"), name="one_rule_per_act_and_moment")
                ],
            },
        ),
        migrations.CreateModel(
            name="Wording",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("catalogue", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=60)),
                ("part", models.CharField(max_length=20)),
                ("text", models.TextField(max_length=600)),
                ("valid_from", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("catalogue", "key", "part", "valid_from"), name="one_wording_at_a_moment"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="bulkrun",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="bulk_run_due"),
        ),
        migrations.AddConstraint(
            model_name="bulkrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "DRAFT"), models.Q(("reason", ""), _negated=True), _connector="OR"),
                name="a_bulk_act_is_started_with_a_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkline",
            index=models.Index(fields=["run", "state", "id"], name="bulk_lines_of_run"),
        ),
        migrations.AddConstraint(
            model_name="bulkline",
            constraint=models.UniqueConstraint(fields=("run", "subject_id"), name="a_row_stands_once_in_a_bulk_act"),
        ),
        migrations.AddConstraint(
            model_name="handling",
            constraint=models.UniqueConstraint(
                fields=("subject_kind", "subject_id"), name="a_thing_is_handled_in_one_row"
            ),
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(condition=models.Q(("state", "ASKED")), fields=["asked_at"], name="proposals_open"),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ASKED"), models.Q(("subject_id", ""), _negated=True)),
                fields=("act", "subject_kind", "subject_id"),
                name="one_open_proposal_per_act_and_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_by__isnull", True), ("state", "ASKED")),
                    models.Q(("decided_by", models.F("asked_by")), ("state", "WITHDRAWN")),
                    models.Q(
                        ("decided_by", models.F("asked_by")),
                        ("needs_second", False),
                        ("state__in", ["APPROVED", "APPLIED"]),
                    ),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("state__in", ["APPROVED", "APPLIED", "REFUSED"]),
                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_proposal_is_decided_by_a_second_person",
            ),
        ),
        *[migrations.RunSQL(policies_sql(table, STAFF), without_policies_sql(table, STAFF)) for table in TABLES],
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
