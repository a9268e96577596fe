"""A rule begins tomorrow at the earliest: orders that were accepted today were promised by the rules of today.

The day is that of the very moment, and not of the transaction's beginning: whoever waited for a lock over midnight is
refused. In the last minute of a day tomorrow is too early as well, because processes read the rules anew after half a
minute. What a release brings is loaded at the console without a proposal, and may be of the past; what a worker applies
of a proposal may not.
"""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION orders_rule_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""
BEFORE = """
CREATE OR REPLACE FUNCTION orders_rule_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0037_own_basket"), ("portal", "0014_desk")]
    operations = [migrations.RunSQL(FUNCTION, BEFORE)]
