"""Cases that their investors see, and what is written about them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.scope import policies_sql, without_policies_sql

STAFF = "current_setting('portal.scope', true) = 'all'"
OWN = f"{STAFF} OR investor_id = (SELECT portal_scope_investor())"
# An investor reads; what is written is written by an operation that has found the row in their scope.
POLICIES = {"SELECT": OWN, "INSERT": STAFF, "UPDATE": STAFF, "DELETE": STAFF}
TABLES = ("investors_investorcase", "investors_casemessage")

GUARDS = """
ALTER TABLE investors_investorcase ADD CONSTRAINT a_case_and_its_investor UNIQUE (id, investor_id);
ALTER TABLE investors_casemessage ADD CONSTRAINT a_message_belongs_to_the_investor_of_its_case
    FOREIGN KEY (shown_id, investor_id) REFERENCES investors_investorcase (id, investor_id);

-- An investor's case is closed when the case is, whoever closes it.
CREATE FUNCTION investors_close_shown_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE investors_investorcase SET closed_at = NEW.closed_at WHERE case_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER an_investors_case_closes_with_the_case AFTER UPDATE OF state ON portal_case
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION investors_close_shown_case();

-- What was written stays as it was written; only erasure takes it away.
CREATE FUNCTION investors_message_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'what was written about a case never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM investors_investorcase WHERE id = NEW.shown_id AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'nothing is written about a closed case' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_message_stays_and_its_case_is_open BEFORE INSERT OR UPDATE ON investors_casemessage
    FOR EACH ROW EXECUTE FUNCTION investors_message_stays();
"""
BACK = """
DROP TRIGGER a_message_stays_and_its_case_is_open ON investors_casemessage;
DROP FUNCTION investors_message_stays();
DROP TRIGGER an_investors_case_closes_with_the_case ON portal_case;
DROP FUNCTION investors_close_shown_case();
ALTER TABLE investors_casemessage DROP CONSTRAINT a_message_belongs_to_the_investor_of_its_case;
ALTER TABLE investors_investorcase DROP CONSTRAINT a_case_and_its_investor;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("investors", "0027_unsent_invites"),
        ("portal", "0018_saved_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="InvestorCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, unique=True)),
                ("kind", models.CharField(max_length=40)),
                ("subject_kind", models.CharField(max_length=40)),
                ("subject_id", models.CharField(max_length=40)),
                ("what", models.CharField(max_length=200, verbose_name="about")),
                ("url", models.CharField(max_length=200, verbose_name="address")),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("waits_since", models.DateTimeField(blank=True, null=True, verbose_name="unanswered since")),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shown", to="portal.case"
                    ),
                ),
                (
                    "investor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="investors.investor"
                    ),
                ),
            ],
            options={
                "verbose_name": "case",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="CaseMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("by_staff", models.BooleanField()),
                ("text", models.CharField(max_length=1000)),
                ("at", models.DateTimeField()),
                ("form_ref", models.CharField(max_length=20)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "investor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="investors.investor"
                    ),
                ),
                (
                    "shown",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="investors.investorcase",
                    ),
                ),
            ],
            options={
                "verbose_name": "message about a case",
                "verbose_name_plural": "messages about cases",
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="investorcase",
            index=models.Index(fields=["investor", "-id"], name="cases_of_investor"),
        ),
        migrations.AddIndex(
            model_name="investorcase",
            index=models.Index(fields=["subject_kind", "subject_id"], name="cases_shown_about"),
        ),
        migrations.AddIndex(
            model_name="investorcase",
            index=models.Index(
                condition=models.Q(("waits_since__isnull", False)), fields=["waits_since"], name="cases_unanswered"
            ),
        ),
        migrations.AddConstraint(
            model_name="casemessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="a_message_says_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="casemessage",
            constraint=models.UniqueConstraint(fields=("shown", "form_ref"), name="a_form_is_one_message"),
        ),
        migrations.RunSQL(GUARDS, BACK),
        *[migrations.RunSQL(policies_sql(table, POLICIES), without_policies_sql(table, POLICIES)) for table in TABLES],
    ]
