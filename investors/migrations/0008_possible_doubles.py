"""Who is perhaps one person, and what was said about it: for staff only, and told apart by an answer only."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.scope import policies_sql, without_policies_sql

STAFF = {"ALL": "current_setting('portal.scope', true) = 'all'"}
TABLES = ("investors_possibledouble", "investors_doubleanswer")
ANSWERS = """
CREATE TRIGGER answer_about_two_never_changes BEFORE UPDATE OR DELETE ON investors_doubleanswer
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();

-- The newest answer is the state of the pair...
CREATE FUNCTION investors_answer_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE investors_possibledouble
       SET state = CASE WHEN NEW.is_apart THEN 'APART' WHEN signs = '[]' THEN 'GONE' ELSE 'OPEN' END
     WHERE id = NEW.double_id;
    RETURN NULL;
END $$;
CREATE TRIGGER an_answer_about_two_counts AFTER INSERT ON investors_doubleanswer
    FOR EACH ROW EXECUTE FUNCTION investors_answer_counts();

-- ... and nothing else tells two apart, or brings them together again.
CREATE FUNCTION investors_told_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.state = 'APART') IS DISTINCT FROM coalesce(
        (SELECT a.is_apart FROM investors_doubleanswer a WHERE a.double_id = NEW.id ORDER BY a.id DESC LIMIT 1), false)
    THEN
        RAISE EXCEPTION 'two are told apart by an answer, and by nothing else'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'two_are_told_apart_by_an_answer';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER two_are_told_apart_by_an_answer BEFORE INSERT OR UPDATE OF state ON investors_possibledouble
    FOR EACH ROW EXECUTE FUNCTION investors_told_apart();
"""
NO_ANSWERS = """
DROP TRIGGER two_are_told_apart_by_an_answer ON investors_possibledouble;
DROP FUNCTION investors_told_apart();
DROP TRIGGER an_answer_about_two_counts ON investors_doubleanswer;
DROP FUNCTION investors_answer_counts();
DROP TRIGGER answer_about_two_never_changes ON investors_doubleanswer;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("investors", "0007_investor_transfers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PossibleDouble",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("signs", models.JSONField(default=list, editable=False, verbose_name="in common")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("OPEN", "to be looked at"),
                            ("APART", "two persons"),
                            ("GONE", "nothing in common any more"),
                        ],
                        default="OPEN",
                        editable=False,
                        max_length=5,
                    ),
                ),
                ("found_at", models.DateTimeField(verbose_name="found")),
                (
                    "one",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="investors.investor"
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="investors.investor"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DoubleAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_apart", models.BooleanField()),
                ("signs", models.JSONField(default=list)),
                ("at", models.DateTimeField()),
                ("reason", models.CharField(max_length=300)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "double",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="investors.possibledouble",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="possibledouble",
            index=models.Index(fields=["state", "-id"], name="possible_double_by_state"),
        ),
        migrations.AddConstraint(
            model_name="possibledouble",
            constraint=models.CheckConstraint(
                condition=models.Q(("one__lt", models.F("other"))), name="a_pair_is_written_in_one_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="possibledouble",
            constraint=models.UniqueConstraint(fields=("one", "other"), name="two_investors_are_a_pair_once"),
        ),
        migrations.AddConstraint(
            model_name="possibledouble",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "OPEN"), _negated=True), models.Q(("signs", []), _negated=True), _connector="OR"
                ),
                name="a_pair_to_be_looked_at_has_something_in_common",
            ),
        ),
        migrations.AddConstraint(
            model_name="doubleanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_apart", False), ("by__isnull", False), _connector="OR"),
                name="only_a_person_tells_two_apart",
            ),
        ),
        migrations.AddConstraint(
            model_name="doubleanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="an_answer_about_two_has_a_reason"
            ),
        ),
        *[migrations.RunSQL(policies_sql(table, STAFF), without_policies_sql(table, STAFF)) for table in TABLES],
        migrations.RunSQL(ANSWERS, NO_ANSWERS),
    ]
