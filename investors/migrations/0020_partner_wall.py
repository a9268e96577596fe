"""A partner's connection reads what belongs to the investors that the partner brought, and writes none of it."""

from django.db import migrations

from portal.scope import drop_partner_policy_sql, partner_policy_sql, policies_sql, without_policies_sql

READ = (
    "investors_kyccheck",
    "investors_kycrequest",
    "investors_bankaccount",
    "investors_investmentaccount",
    "investors_mandate",
    "investors_document",
)
STAFF = "current_setting('portal.scope', true) = 'all'"
WORKS_HERE = (
    "id IN (SELECT m.partner_id FROM portal_partnermember m WHERE m.user_id = portal_scope_user() AND ended_at IS NULL)"
)
BROUGHT = "id IN (SELECT i.partner_id FROM investors_investor i)"
PARTNERS = {
    "ALL": STAFF,
    # A person who works there, and an investor whom the partner brought, may read which firm it is.
    "SELECT": f"{STAFF} OR id = portal_scope_partner() OR {WORKS_HERE} OR {BROUGHT}",
}

FUNCTIONS = """
-- The same as migration 0019, and nobody for a partner's person: at the partner they are no investor.
CREATE OR REPLACE FUNCTION portal_scope_investor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT a.investor_id FROM investors_authority a
     WHERE a.user_id = portal_scope_user() AND a.ended_at IS NULL AND portal_scope_partner() IS NULL
     ORDER BY a.investor_id
            = substring(current_setting('portal.scope', true) FROM '^(?:user|door):[0-9]+:([0-9]+)$')::bigint
           DESC NULLS LAST, a.role = 'SELF' DESC, a.id LIMIT 1
$$;
-- Did the partner of this connection bring the investor? Not SQL: pages of investors should not have to plan it.
CREATE FUNCTION portal_partner_sees(investor bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE ours bigint := portal_scope_partner();
BEGIN
    RETURN ours IS NOT NULL AND EXISTS (SELECT FROM investors_investor WHERE id = investor AND partner_id = ours);
END $$;
CREATE POLICY investors_investor_by_partner ON investors_investor FOR SELECT
    USING (partner_id = portal_scope_partner());
-- Invitations: those of the partner, before and after somebody has accepted them.
CREATE POLICY investors_invite_by_partner ON investors_invite USING (partner_id = portal_scope_partner());
"""
NO_FUNCTIONS = """
DROP POLICY investors_invite_by_partner ON investors_invite;
DROP POLICY investors_investor_by_partner ON investors_investor;
DROP FUNCTION portal_partner_sees(bigint);
CREATE OR REPLACE FUNCTION portal_scope_investor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT a.investor_id FROM investors_authority a
     WHERE a.user_id = portal_scope_user() AND a.ended_at IS NULL
     ORDER BY a.investor_id
            = substring(current_setting('portal.scope', true) FROM '^(?:user|door):[0-9]+:([0-9]+)$')::bigint
           DESC NULLS LAST, a.role = 'SELF' DESC, a.id LIMIT 1
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0019_authority_guards"), ("portal", "0013_partner_wall")]
    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.RunSQL(policies_sql("portal_partner", PARTNERS), without_policies_sql("portal_partner", PARTNERS)),
        *[migrations.RunSQL(partner_policy_sql(table), drop_partner_policy_sql(table)) for table in READ],
    ]
