"""A partner's connection reads the payments of the investors that the partner brought."""

from django.db import migrations

from portal.scope import drop_partner_policy_sql, partner_policy_sql

READ = ("payments_payment", "payments_paymentline")


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_cart_lines"), ("investors", "0020_partner_wall")]
    operations = [migrations.RunSQL(partner_policy_sql(table), drop_partner_policy_sql(table)) for table in READ]
