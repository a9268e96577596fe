"""Who acts for whom, held by the database: whoever starts an application may act for it, a connection sees the rows of
the one investor for whom its person acts, and nobody consents for a minor who has turned eighteen."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

SCOPE = """
CREATE OR REPLACE FUNCTION portal_scope_user() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT substring(current_setting('portal.scope', true) FROM '^(?:user|door):([0-9]+)(?::[0-9]+)?$')::bigint
$$;
-- The same order as `queries.of_user`: whom the person has chosen, else the person, else the first.
CREATE OR REPLACE FUNCTION portal_scope_investor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT a.investor_id FROM investors_authority a
     WHERE a.user_id = portal_scope_user() AND a.ended_at IS NULL
     ORDER BY a.investor_id
            = substring(current_setting('portal.scope', true) FROM '^(?:user|door):[0-9]+:([0-9]+)$')::bigint
           DESC NULLS LAST, a.role = 'SELF' DESC, a.id LIMIT 1
$$;
"""
UNSCOPE = """
CREATE OR REPLACE FUNCTION portal_scope_investor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT id FROM investors_investor WHERE user_id = portal_scope_user()
$$;
CREATE OR REPLACE FUNCTION portal_scope_user() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT substring(current_setting('portal.scope', true) FROM '^(?:user|door):([0-9]+)$')::bigint
$$;
"""
BEGIN = """
CREATE FUNCTION investors_begin_authority() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO investors_authority (investor_id, user_id, role, began_at)
    VALUES (NEW.id, NEW.user_id, CASE WHEN NEW.kind = 'MINOR' THEN 'GUARDIAN' ELSE 'SELF' END, NEW.created_at);
    RETURN NULL;
END $$;
CREATE TRIGGER who_starts_an_application_may_act AFTER INSERT ON investors_investor
    FOR EACH ROW EXECUTE FUNCTION investors_begin_authority();
INSERT INTO investors_authority (investor_id, user_id, role, began_at)
SELECT id, user_id, CASE WHEN kind = 'MINOR' THEN 'GUARDIAN' ELSE 'SELF' END, created_at FROM investors_investor;
-- The rows' own checks are made now: a table with checks to come cannot be altered below.
SET CONSTRAINTS ALL IMMEDIATE;
"""
UNBEGIN = """
DROP TRIGGER who_starts_an_application_may_act ON investors_investor;
DROP FUNCTION investors_begin_authority();
DELETE FROM investors_authority;
"""
# Majority Act 1875, section 3. Adding years to 29 February gives the 28th in PostgreSQL, one day early: hence the day.
GROWN = """
CREATE FUNCTION investors_no_consent_for_a_grown_minor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM investors_investor i
         WHERE i.id = NEW.investor_id AND i.kind = 'MINOR'
           AND (i.date_of_birth - 1 + interval '18 years')::date + 1
               <= (coalesce(NEW.given_at, NEW.asked_at) AT TIME ZONE 'Asia/Kolkata')::date)
    THEN
        RAISE EXCEPTION 'a guardian consents to nothing for somebody who is 18'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_guardian_consents_for_a_minor_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_guardian_consents_for_a_minor_only BEFORE INSERT OR UPDATE OF given_at ON investors_consent
    FOR EACH ROW EXECUTE FUNCTION investors_no_consent_for_a_grown_minor();
"""
UNGROWN = """
DROP TRIGGER a_guardian_consents_for_a_minor_only ON investors_consent;
DROP FUNCTION investors_no_consent_for_a_grown_minor();
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0018_authority"), ("portal", "0008_session_wall")]
    operations = [
        migrations.RunSQL(BEGIN, UNBEGIN),
        migrations.RunSQL(SCOPE, UNSCOPE),
        migrations.RunSQL(
            owner_policy_sql("investors_authority", "user_id"), drop_owner_policy_sql("investors_authority")
        ),
        migrations.RunSQL(GROWN, UNGROWN),
    ]
