"""Notices, how they are sent, what people chose; and how many are unread, in the first statement of a page."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.scope import drop_owner_policy_sql, owner_policy_sql

TABLES = ("portal_notice", "portal_delivery", "portal_noticechoice")
OPEN = """
-- As before, and how many notices the person has not read: ten stands for ten and more.
CREATE FUNCTION portal_open(key text, at timestamptz)
    RETURNS TABLE (session_data text, scope text, person portal_user, unread integer) LANGUAGE plpgsql ROWS 1 AS $$
DECLARE who bigint;
BEGIN
    PERFORM set_config('portal.scope', 'door', false);
    scope := 'none';
    unread := 0;
    SELECT s.session_data, s.user_id INTO portal_open.session_data, who
      FROM portal_session s WHERE s.session_key = key AND s.expire_date > at;
    IF NOT FOUND THEN
        PERFORM set_config('portal.scope', scope, false);
        RETURN;
    END IF;
    SELECT * INTO person FROM portal_user WHERE id = who AND is_active;
    IF person.id IS NOT NULL THEN
        scope := CASE WHEN person.is_staff THEN 'all' ELSE 'user:' || person.id END;
    END IF;
    PERFORM set_config('portal.scope', scope, false);
    SELECT count(*) INTO unread
      FROM (SELECT FROM portal_notice WHERE user_id = person.id AND read_at IS NULL LIMIT 10) few;
    RETURN NEXT;
END $$;
"""
AS_BEFORE = """
DROP FUNCTION portal_open(text, timestamptz);
CREATE FUNCTION portal_open(key text, at timestamptz)
    RETURNS TABLE (session_data text, scope text, person portal_user) LANGUAGE plpgsql ROWS 1 AS $$
DECLARE who bigint;
BEGIN
    PERFORM set_config('portal.scope', 'door', false);
    scope := 'none';
    SELECT s.session_data, s.user_id INTO portal_open.session_data, who
      FROM portal_session s WHERE s.session_key = key AND s.expire_date > at;
    IF FOUND THEN
        SELECT * INTO person FROM portal_user WHERE id = who AND is_active;
        IF person.id IS NOT NULL THEN
            scope := CASE WHEN person.is_staff THEN 'all' ELSE 'user:' || person.id END;
        END IF;
        RETURN NEXT;
    END IF;
    PERFORM set_config('portal.scope', scope, false);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0009_names_of_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=40)),
                ("subject_kind", models.CharField(max_length=40)),
                ("subject_id", models.CharField(max_length=40)),
                ("about", models.CharField(blank=True, max_length=40)),
                ("title", models.CharField(max_length=150)),
                ("text", models.CharField(max_length=600)),
                ("facts", models.JSONField(default=list)),
                ("url", models.CharField(max_length=200, verbose_name="address")),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "waiting"),
                            ("SENDING", "being sent"),
                            ("SENT", "sent"),
                            ("FAILED", "not sent"),
                            ("UNKNOWN", "outcome unknown"),
                        ],
                        default="WAITING",
                        max_length=8,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=200)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="portal.notice"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.CreateModel(
            name="NoticeChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=40)),
                ("channel", models.CharField(max_length=8)),
                ("wanted", models.BooleanField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notice_choices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["user", "-id"], name="notices_of_person"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(condition=models.Q(("read_at__isnull", True)), fields=["user"], name="notices_unread"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                fields=("user", "event", "subject_kind", "subject_id", "about"), name="a_person_is_told_a_thing_once"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="delivery_due"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("notice", "channel"), name="a_notice_goes_out_once_per_channel"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("state", "SENT")),
                    models.Q(("state", "SENT"), _negated=True),
                    _connector="OR",
                ),
                name="what_was_sent_has_its_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticechoice",
            constraint=models.UniqueConstraint(
                fields=("user", "event", "channel"), name="one_choice_per_event_and_channel"
            ),
        ),
        *[migrations.RunSQL(owner_policy_sql(table, "user_id"), drop_owner_policy_sql(table)) for table in TABLES],
        migrations.RunSQL(f"DROP FUNCTION portal_open(text, timestamptz); {OPEN}", AS_BEFORE),
    ]
