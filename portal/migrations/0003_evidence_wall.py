"""The wall below the views for people and evidence: a person's connection sees the person's own rows.

people          own row; everybody on the pages where one signs in (scope `door`); nobody's for nobody
audit entries   those about a row that the connection sees; anybody may append, under no other person's name
provider calls  those that were made in the same scope, so that a request can end the call that it began
cases, inbox    operations only
"""

from django.db import migrations, models
from django.db.models.functions import Coalesce

from portal.scope import policies_sql, without_policies_sql

STAFF = "current_setting('portal.scope', true) = 'all'"
AT_THE_DOOR = "(current_setting('portal.scope', true) LIKE 'door%')"
# A person signs with no other name; machines (`system`, `worker`) sign everywhere.
OWN_NAME = "actor NOT LIKE 'user:%' OR portal_scope_user() IS NULL OR actor = 'user:' || portal_scope_user()"

# Table -> command -> the rows that it may touch.
EVIDENCE = {
    "portal_auditentry": {
        "SELECT": f"{STAFF} OR (NOT {AT_THE_DOOR} AND portal_sees(subject_kind, subject_id))",
        "INSERT": OWN_NAME,
        # A trigger refuses these: staff get its words, others find no row.
        "UPDATE": STAFF,
        "DELETE": STAFF,
    },
    "portal_gatewaycall": {"ALL": f"{STAFF} OR written_as = current_setting('portal.scope', true)"},
    "portal_case": {"ALL": STAFF},
    "portal_inboundevent": {"ALL": STAFF},
}
PEOPLE = {
    table: {"ALL": f"{STAFF} OR {AT_THE_DOOR} OR {owner} = portal_scope_user()"}
    for table, owner in {
        "portal_user": "id",
        "account_emailaddress": "user_id",
        "mfa_authenticator": "user_id",
        "usersessions_usersession": "user_id",
    }.items()
}

FUNCTIONS = """
CREATE OR REPLACE FUNCTION portal_scope_user() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT substring(current_setting('portal.scope', true) FROM '^(?:user|door):([0-9]+)$')::bigint
$$;

-- Whoever a session names. The scope of the connection is not known yet at that moment: it is what this answers.
CREATE FUNCTION portal_person(who bigint) RETURNS SETOF portal_user LANGUAGE plpgsql ROWS 1 AS $$
DECLARE before text := current_setting('portal.scope', true);
BEGIN
    PERFORM set_config('portal.scope', 'door', false);
    RETURN QUERY SELECT * FROM portal_user WHERE id = who;
    PERFORM set_config('portal.scope', before, false);
END $$;

-- May this connection see the row that evidence is about? Only rows behind the wall say whose they are.
CREATE FUNCTION portal_sees(kind text, row_id text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE its_table regclass := to_regclass(replace(kind, '.', '_')); seen boolean;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_class WHERE oid = its_table AND relforcerowsecurity) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s WHERE id = $1::bigint)', its_table) INTO seen USING row_id;
    RETURN seen;
END $$;
"""
NO_FUNCTIONS = """
DROP FUNCTION portal_sees(text, text);
DROP FUNCTION portal_person(bigint);
CREATE OR REPLACE FUNCTION portal_scope_user() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT substring(current_setting('portal.scope', true) FROM '^user:([0-9]+)$')::bigint
$$;
"""

WRITTEN_AS = models.CharField(
    max_length=40,
    editable=False,
    db_default=Coalesce(
        models.Func(models.Value("portal.scope"), models.Value(True), function="current_setting"),
        models.Value(""),
        output_field=models.CharField(),
    ),
)


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0002_guards"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("usersessions", "0001_initial"),
    ]
    operations = [
        migrations.AddField("gatewaycall", "written_as", WRITTEN_AS),
        migrations.AddIndex("user", models.Index(fields=["email"], name="user_by_email")),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        *[
            migrations.RunSQL(policies_sql(table, policies), without_policies_sql(table, policies))
            for table, policies in {**PEOPLE, **EVIDENCE}.items()
        ],
    ]
