"""Cut-offs, ways of paying and payouts as dated data, filled with what held when this was written."""

import csv
from pathlib import Path

from django.db import migrations, models

SOURCE = Path(__file__).resolve().parent.parent / "data" / "rules.csv"

GUARDS = """
CREATE TRIGGER a_dated_rule_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON orders_datedrule
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('orders.datedrule');

-- What has begun stays, and nothing begins in the past: what was promised can always be explained.
CREATE FUNCTION orders_rule_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE today date := (now() AT TIME ZONE 'Asia/Kolkata')::date;
BEGIN
    IF portal_at_the_console() THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.valid_from <= today THEN
        RAISE EXCEPTION 'a rule that has begun stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.valid_from < today THEN
        RAISE EXCEPTION 'no rule begins in the past' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER the_history_of_dated_rules_stays BEFORE INSERT OR UPDATE OR DELETE ON orders_datedrule
    FOR EACH ROW EXECUTE FUNCTION orders_rule_history_stays();
"""
UNGUARD = """
DROP TRIGGER the_history_of_dated_rules_stays ON orders_datedrule;
DROP FUNCTION orders_rule_history_stays();
DROP TRIGGER a_dated_rule_changes_by_a_proposal ON orders_datedrule;
"""


def seed(apps, schema_editor):
    DatedRule = apps.get_model("orders", "DatedRule")
    with SOURCE.open(encoding="utf-8") as lines:
        DatedRule.objects.bulk_create([DatedRule(**row) for row in csv.DictReader(lines)])


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0033_what_else_is_asked"),
        ("portal", "0014_desk"),
    ]

    operations = [
        migrations.CreateModel(
            name="DatedRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        choices=[
                            ("purchase_cutoff", "Purchase: SEBI's cut-off"),
                            ("previous_day_nav", "Purchase: NAV of the day before"),
                            ("nav_lag", "NAV comes later than others"),
                            ("payment_cutoff", "Payment: the platform's cut-off"),
                            ("payment_cutoff_liquid", "Payment: the platform's cut-off, NAV of the day before"),
                            ("payment_days", "Payment: until the fund house has the money"),
                            ("payment_limit", "Payment: most a day"),
                            ("sale_cutoff", "Sale: cut-off"),
                            ("payout_days", "Sale: money in the bank"),
                            ("sip_failures", "SIP: failures in a row that end it"),
                            ("sip_end_days", "SIP: until the fund house has ended it"),
                        ],
                        max_length=30,
                        verbose_name="rule",
                    ),
                ),
                ("of", models.CharField(blank=True, max_length=80, verbose_name="of")),
                ("valid_from", models.DateField(verbose_name="holds from")),
                ("value", models.CharField(max_length=20)),
                ("words", models.CharField(blank=True, max_length=85, verbose_name="words for investors")),
                ("source", models.CharField(max_length=300)),
            ],
            options={
                "verbose_name": "cut-off or limit",
                "verbose_name_plural": "cut-offs and limits",
                "ordering": ["name", "of", "-valid_from"],
                "constraints": [
                    models.UniqueConstraint(fields=("name", "of", "valid_from"), name="one_dated_rule_on_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "name__in",
                                    ["purchase_cutoff", "payment_cutoff", "payment_cutoff_liquid", "sale_cutoff"],
                                ),
                                ("value__regex", "^([01][0-9]|2[0-3]):[0-5][0-9]$"),
                            ),
                            models.Q(
                                ("name__in", ["nav_lag", "payment_days", "payout_days", "sip_end_days"]),
                                ("value__regex", "^[0-9]{1,2}$"),
                            ),
                            models.Q(("name__in", ["sip_failures"]), ("value__regex", "^[1-9]$")),
                            models.Q(("name__in", ["payment_limit"]), ("value__regex", "^[1-9][0-9]{0,11}$")),
                            models.Q(("name__in", ["previous_day_nav"]), ("value__regex", "^(yes|no)$")),
                            _connector="OR",
                        ),
                        name="a_dated_rule_is_written_in_its_unit",
                        violation_error_message="The value is not written in the unit of this rule.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", ""), _negated=True), name="a_dated_rule_has_a_source"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name__in", ["payment_days", "payout_days"]), _negated=True),
                            ("value", "0"),
                            models.Q(("words", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="a_dated_rule_that_investors_read_has_words",
                    ),
                ],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
