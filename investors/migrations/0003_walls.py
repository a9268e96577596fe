"""Whose rows a connection sees: people and what they have authorised.

A partner's connection reads what belongs to the investors that the partner brought, and writes none of it.
"""

from django.db import migrations

from portal.scope import (
    drop_owner_policy_sql,
    drop_partner_policy_sql,
    owner_policy_sql,
    partner_policy_sql,
    policies_sql,
    without_policies_sql,
)

OF_A_LOGIN = ["investors_investor", "investors_investorevent", "investors_authority"]
OF_AN_INVESTOR = [
    "investors_kyccheck",
    "investors_address",
    "investors_nominee",
    "investors_bankaccount",
    "investors_bankaccountevent",
    "investors_investmentaccount",
    "investors_consent",
    "investors_kycrequest",
    "investors_kycrequestevent",
    "investors_document",
    "investors_mandate",
    "investors_mandateevent",
    "investors_changerequest",
    "investors_changerequestevent",
    "investors_taxresidence",
    "investors_fieldsource",
    "investors_invite",
    "investors_nameword",
    "investors_dataexport",
    "investors_erasurerequest",
]

STAFF = "current_setting('portal.scope', true) = 'all'"
OWN = "investor_id = (SELECT portal_scope_investor())"
WRITTEN_BY_STAFF = {"INSERT": STAFF, "UPDATE": STAFF, "DELETE": STAFF}
MEMBERSHIPS = "(SELECT partner_id FROM portal_partnermember WHERE user_id = portal_scope_user() AND ended_at IS NULL)"
SERVING = "(SELECT partner_id FROM investors_investor)"
RULES = {
    "investors_merge": {"ALL": STAFF},
    "portal_partner": {
        "ALL": STAFF,
        "SELECT": f"{STAFF} OR id = portal_scope_partner() OR id IN {MEMBERSHIPS} OR id IN {SERVING}",
    },
    "investors_investorcase": {"SELECT": f"{STAFF} OR {OWN}", **WRITTEN_BY_STAFF},
    "investors_casemessage": {"SELECT": f"{STAFF} OR {OWN}", **WRITTEN_BY_STAFF},
    "investors_transfer": {
        "SELECT": f"{STAFF} OR {OWN} OR (SELECT portal_scope_partner()) IN (from_partner_id, to_partner_id)",
        **WRITTEN_BY_STAFF,
    },
}
READ_BY_PARTNERS = [
    "investors_kyccheck",
    "investors_kycrequest",
    "investors_bankaccount",
    "investors_investmentaccount",
    "investors_mandate",
    "investors_document",
]
FURTHER = """
CREATE POLICY investors_investor_by_partner ON investors_investor FOR SELECT
    USING (partner_id = portal_scope_partner());
-- Invitations: those of the partner, before and after somebody has accepted them.
CREATE POLICY investors_invite_by_partner ON investors_invite USING (partner_id = portal_scope_partner());
"""


class Migration(migrations.Migration):
    replaces = [("investors", "0006_people_guards"), ("investors", "0020_partner_wall")]
    dependencies = [("investors", "0002_guards")]
    operations = [
        *[migrations.RunSQL(owner_policy_sql(table, "user_id"), drop_owner_policy_sql(table)) for table in OF_A_LOGIN],
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OF_AN_INVESTOR],
        *[
            migrations.RunSQL(policies_sql(table, rule), without_policies_sql(table, rule))
            for table, rule in RULES.items()
        ],
        *[migrations.RunSQL(partner_policy_sql(table), drop_partner_policy_sql(table)) for table in READ_BY_PARTNERS],
        migrations.RunSQL(
            FURTHER,
            """
            DROP POLICY investors_investor_by_partner ON investors_investor;
            DROP POLICY investors_invite_by_partner ON investors_invite;
            """,
        ),
    ]
