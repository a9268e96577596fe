"""Whose rows a connection sees: orders, units and shares.

A partner's connection reads what belongs to the investors that the partner brought. The story of an order is read on its
page by its investor by a policy that the planner turns into one look-up: `portal_sees` of the kernel lets the same
entries through at some ten times the price for each. PostgreSQL tries the policy whose name sorts last first, so this
one is called so that it stands before `portal_auditentry_select`.
"""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, drop_partner_policy_sql, owner_policy_sql, partner_policy_sql

OF_AN_INVESTOR = [
    "orders_mforder",
    "orders_mforderevent",
    "orders_folio",
    "orders_transaction",
    "orders_holding",
    "orders_cart",
    "orders_cartline",
    "orders_plan",
    "orders_planevent",
    "orders_basketsubscription",
    "orders_basketorder",
    "orders_basketorderevent",
    "orders_stockorder",
    "orders_stockorderevent",
    "orders_stockholding",
    "orders_instalment",
    "orders_planchange",
    "orders_planchangeevent",
    "orders_watchedshare",
    "orders_stockchange",
    "orders_stockchangeevent",
    "orders_approval",
    "orders_approvalline",
]
READ_BY_PARTNERS = [
    "orders_mforder",
    "orders_folio",
    "orders_transaction",
    "orders_holding",
    "orders_plan",
    "orders_planchange",
    "orders_instalment",
    "orders_cart",
    "orders_basketorder",
    "orders_basketsubscription",
    "orders_stockorder",
    "orders_stockholding",
]
FURTHER = """
CREATE POLICY portal_auditentry_story_of_order ON portal_auditentry FOR SELECT USING (
    subject_kind = 'orders.mforder' AND EXISTS (SELECT 1 FROM orders_mforder o WHERE o.id = subject_id::bigint)
);
CREATE POLICY orders_approval_by_partner ON orders_approval
    USING (partner_id = portal_scope_partner() AND portal_partner_sees(investor_id));
CREATE POLICY orders_approvalline_by_partner ON orders_approvalline
    USING (EXISTS (SELECT FROM orders_approval a
                    WHERE a.id = approval_id AND a.investor_id = orders_approvalline.investor_id
                      AND a.partner_id = portal_scope_partner()));
"""


class Migration(migrations.Migration):
    replaces = [("orders", "0006_story_policy"), ("orders", "0021_partner_wall"), ("orders", "0023_watchlist_wall")]
    dependencies = [("orders", "0006_rules")]
    operations = [
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OF_AN_INVESTOR],
        *[migrations.RunSQL(partner_policy_sql(table), drop_partner_policy_sql(table)) for table in READ_BY_PARTNERS],
        migrations.RunSQL(
            FURTHER,
            "DROP POLICY portal_auditentry_story_of_order ON portal_auditentry; DROP POLICY orders_approval_by_partner ON orders_approval; DROP POLICY orders_approvalline_by_partner ON orders_approvalline;",
        ),
    ]
