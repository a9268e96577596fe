"""Firms that work through other firms: a tree of three levels at most, and who asked for whom."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.scope import policies_sql, without_policies_sql

TREE = """
-- No firm works through itself, also not by way of others, and a tree has three levels at most. One change at a time: two
-- that are fine each could make a circle together.
CREATE FUNCTION portal_firm_tree() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    above integer;
    below integer;
    is_circle boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('portal_firm_tree'));
    WITH RECURSIVE up (id, level) AS (
        SELECT NEW.head_id, 1
        UNION ALL SELECT p.head_id, up.level + 1 FROM up JOIN portal_partner p ON p.id = up.id
                   WHERE p.head_id IS NOT NULL AND up.id <> NEW.id AND up.level < 9
    ) SELECT max(level), bool_or(id = NEW.id) INTO above, is_circle FROM up;
    IF is_circle THEN
        RAISE EXCEPTION 'no firm works through itself'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'no_firm_works_through_itself_by_way_of_others';
    END IF;
    WITH RECURSIVE down (id, level) AS (
        SELECT NEW.id, 1
        UNION ALL SELECT p.id, down.level + 1 FROM down JOIN portal_partner p ON p.head_id = down.id WHERE down.level < 9
    ) SELECT max(level) INTO below FROM down;
    IF above + below > 3 THEN
        RAISE EXCEPTION 'firms work through each other on three levels at most'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'firms_stand_on_three_levels_at_most';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER firms_are_a_tree BEFORE INSERT OR UPDATE OF head_id ON portal_partner
    FOR EACH ROW WHEN (NEW.head_id IS NOT NULL) EXECUTE FUNCTION portal_firm_tree();

-- What was asked for stays as it was written; it is decided once.
CREATE FUNCTION portal_firm_request_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state = 'ASKED' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'ASKED' AND NEW.state <> 'ASKED'
        AND to_jsonb(OLD) - '{state,decided_at,answer,firm_id}'::text[]
          = to_jsonb(NEW) - '{state,decided_at,answer,firm_id}'::text[]
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a firm is asked for and decided about once'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_firm_that_was_asked_for_is_decided_once';
END $$;
CREATE TRIGGER a_firm_that_was_asked_for_is_decided_once BEFORE INSERT OR UPDATE OR DELETE ON portal_firmrequest
    FOR EACH ROW EXECUTE FUNCTION portal_firm_request_steps();
"""
NO_TREE = """
DROP TRIGGER a_firm_that_was_asked_for_is_decided_once ON portal_firmrequest;
DROP FUNCTION portal_firm_request_steps();
DROP TRIGGER firms_are_a_tree ON portal_partner;
DROP FUNCTION portal_firm_tree();
"""
WALL = {"ALL": "current_setting('portal.scope', true) = 'all' OR head_id = portal_scope_partner()"}


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0008_messages_to_many"),
    ]

    operations = [
        migrations.CreateModel(
            name="FirmRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(editable=False, max_length=20, unique=True)),
                ("name", models.CharField(max_length=120)),
                ("arn", models.CharField(max_length=20, verbose_name="ARN")),
                ("email", models.EmailField(max_length=100, verbose_name="e-mail address of the firm")),
                ("basis", models.CharField(max_length=300, verbose_name="why we may write to them")),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ASKED", "being looked at"),
                            ("TAKEN", "works through you"),
                            ("REFUSED", "not taken"),
                            ("WITHDRAWN", "withdrawn"),
                        ],
                        default="ASKED",
                        max_length=9,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                ("answer", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name": "firm asked for",
                "verbose_name_plural": "firms asked for",
            },
        ),
        migrations.AddField(
            model_name="partner",
            name="head",
            field=models.ForeignKey(
                blank=True,
                help_text="The firm that brought this one. It sees sums of this firm's book, never an investor.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="beneath",
                to="portal.partner",
                verbose_name="works through",
            ),
        ),
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                condition=models.Q(("head", None), models.Q(("head", models.F("id")), _negated=True), _connector="OR"),
                name="no_firm_works_through_itself",
                violation_error_message="A firm does not work through itself.",
            ),
        ),
        migrations.AddField(
            model_name="firmrequest",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="firmrequest",
            name="firm",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="asked_for_by",
                to="portal.partner",
            ),
        ),
        migrations.AddField(
            model_name="firmrequest",
            name="head",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="firm_requests", to="portal.partner"
            ),
        ),
        migrations.AddIndex(
            model_name="firmrequest",
            index=models.Index(fields=["head", "-id"], name="firms_asked_for_by_head"),
        ),
        migrations.AddConstraint(
            model_name="firmrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ASKED")),
                fields=("head", "arn"),
                name="a_firm_is_asked_for_once_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="firmrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", ""), ("decided_at__isnull", True), ("firm__isnull", True), ("state", "ASKED")),
                    models.Q(("decided_at__isnull", False), ("firm__isnull", False), ("state", "TAKEN")),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("firm__isnull", True),
                        ("state", "REFUSED"),
                        models.Q(("answer", ""), _negated=True),
                    ),
                    models.Q(("decided_at__isnull", False), ("firm__isnull", True), ("state", "WITHDRAWN")),
                    _connector="OR",
                ),
                name="a_firm_that_was_asked_for_is_taken_or_not",
            ),
        ),
        migrations.RunSQL(TREE, NO_TREE),
        migrations.RunSQL(policies_sql("portal_firmrequest", WALL), without_policies_sql("portal_firmrequest", WALL)),
    ]
