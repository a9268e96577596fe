"""Market holidays and dated rules: filled with what held when this was written, and how they change."""

import csv
from pathlib import Path

from django.db import migrations

DATA = Path(__file__).resolve().parent.parent / "data"

READ = {
    "Holiday": lambda row: {"on": row["date"], "name": row["name"] or "Market holiday"},
    "DatedRule": dict,
}

# A rule begins tomorrow at the earliest: orders that were accepted today were promised by the rules of today. The day
# is that of the very moment, and not of the transaction's beginning: whoever waited for a lock over midnight is
# refused. In the last minute of a day tomorrow is too early as well, because processes read the rules anew after half
# a minute. What a release brings is loaded at the console without a proposal, and may be of the past; what a worker
# applies of a proposal may not.
RULES = """
CREATE TRIGGER a_dated_rule_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON orders_datedrule
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('orders.datedrule');

CREATE FUNCTION orders_rule_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE promised date := ((clock_timestamp() + interval '1 minute') AT TIME ZONE 'Asia/Kolkata')::date;
BEGIN
    IF portal_at_the_console() AND NOT EXISTS (
        SELECT 1 FROM portal_proposal WHERE subject_kind = 'orders.datedrule' AND state = 'APPROVED'
    ) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.valid_from <= promised THEN
        RAISE EXCEPTION 'a rule that has begun stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.valid_from <= promised THEN
        RAISE EXCEPTION 'a rule begins tomorrow at the earliest' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER the_history_of_dated_rules_stays BEFORE INSERT OR UPDATE OR DELETE ON orders_datedrule
    FOR EACH ROW EXECUTE FUNCTION orders_rule_history_stays();
"""


def seed(apps, schema_editor):
    for name, file in {"Holiday": "holidays.csv", "DatedRule": "rules.csv"}.items():
        model = apps.get_model("orders", name)
        with (DATA / file).open(encoding="utf-8") as lines:
            model.objects.bulk_create([model(**READ[name](row)) for row in csv.DictReader(lines)])


class Migration(migrations.Migration):
    replaces = [("orders", "0003_holidays"), ("orders", "0038_rules_from_tomorrow")]
    dependencies = [("orders", "0005_partner_guards")]
    operations = [
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunSQL(RULES),
    ]
