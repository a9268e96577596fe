"""The wall below the views: an investor's connection sees that investor's rows only. Registry answers never change."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = [
    "investors_kyccheck",
    "investors_address",
    "investors_nominee",
    "investors_bankaccount",
    "investors_bankaccountevent",
    "investors_investmentaccount",
    "investors_consent",
]

SCOPE = """
CREATE FUNCTION portal_scope_investor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT id FROM investors_investor WHERE user_id = portal_scope_user()
$$;
CREATE TRIGGER kyc_check_never_changes BEFORE UPDATE OR DELETE ON investors_kyccheck
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();
"""
UNSCOPE = """
DROP TRIGGER kyc_check_never_changes ON investors_kyccheck;
DROP FUNCTION portal_scope_investor();
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0002_initial"), ("portal", "0002_guards")]
    operations = [
        migrations.RunSQL(SCOPE, UNSCOPE),
        *[
            migrations.RunSQL(owner_policy_sql(table, "user_id"), drop_owner_policy_sql(table))
            for table in ("investors_investor", "investors_investorevent")
        ],
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED],
    ]
