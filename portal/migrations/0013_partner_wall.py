"""A partner's connection (scope `partner:<id>`, with `:<user>` for a person who works there) sees the partner's rows.

keys, members, calls    the partner's own
clients and tokens      read where the client is a key of the partner; written by the operations that look after keys
evidence                signed as this partner, or as the person, and in nobody else's name
"""

from django.db import migrations

from portal.scope import policies_sql, without_policies_sql

STAFF = "current_setting('portal.scope', true) = 'all'"
OURS = f"{STAFF} OR partner_id = portal_scope_partner()"
OWN_KEY = "(SELECT client_id FROM portal_apikey)"

FUNCTIONS = """
CREATE FUNCTION portal_scope_partner() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT substring(current_setting('portal.scope', true) FROM '^partner:([0-9]+)(?::[0-9]+)?$')::bigint
$$;
CREATE OR REPLACE FUNCTION portal_scope_user() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT substring(
        current_setting('portal.scope', true) FROM '^(?:user|door|partner:[0-9]+):([0-9]+)(?::[0-9]+)?$'
    )::bigint
$$;
"""
NO_FUNCTIONS = """
CREATE OR REPLACE FUNCTION portal_scope_user() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT substring(current_setting('portal.scope', true) FROM '^(?:user|door):([0-9]+)(?::[0-9]+)?$')::bigint
$$;
DROP FUNCTION portal_scope_partner();
"""

TABLES = {
    "portal_partnermember": {"ALL": STAFF, "SELECT": f"{OURS} OR user_id = portal_scope_user()"},
    "portal_apikey": {"ALL": OURS},
    "portal_idempotentcall": {"ALL": OURS},
    "allauth_idp_oidc_client": {"ALL": STAFF, "SELECT": f"{STAFF} OR id IN {OWN_KEY}"},
    "allauth_idp_oidc_token": {"ALL": STAFF, "SELECT": f"{STAFF} OR client_id IN {OWN_KEY}"},
}

SIGNED = "portal_auditentry_insert"
BEFORE = "actor NOT LIKE 'user:%' OR portal_scope_user() IS NULL OR actor = 'user:' || portal_scope_user()"
AFTER = (
    "(actor NOT LIKE 'user:%' OR actor = 'user:' || portal_scope_user()"
    " OR (portal_scope_user() IS NULL AND portal_scope_partner() IS NULL))"
    f" AND (actor NOT LIKE 'partner:%' OR {STAFF} OR actor = 'partner:' || portal_scope_partner())"
)


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0012_partners"),
        ("investors", "0019_authority_guards"),
        ("allauth_idp_oidc", "0003_client_allow_uri_wildcards"),
    ]
    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        *[
            migrations.RunSQL(policies_sql(table, policies), without_policies_sql(table, policies))
            for table, policies in TABLES.items()
        ],
        migrations.RunSQL(
            f"ALTER POLICY {SIGNED} ON portal_auditentry WITH CHECK ({AFTER})",
            f"ALTER POLICY {SIGNED} ON portal_auditentry WITH CHECK ({BEFORE})",
        ),
    ]
