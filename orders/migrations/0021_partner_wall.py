"""A partner's connection reads the orders, plans, holdings and baskets of the investors that the partner brought."""

from django.db import migrations

from portal.scope import drop_partner_policy_sql, partner_policy_sql

READ = (
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
)


class Migration(migrations.Migration):
    dependencies = [("orders", "0020_repairs"), ("investors", "0020_partner_wall")]
    operations = [migrations.RunSQL(partner_policy_sql(table), drop_partner_policy_sql(table)) for table in READ]
