"""Whose rows a connection sees: payments."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, drop_partner_policy_sql, owner_policy_sql, partner_policy_sql

OF_AN_INVESTOR = ["payments_payment", "payments_paymentevent", "payments_paymentline"]
READ_BY_PARTNERS = ["payments_payment", "payments_paymentline"]


class Migration(migrations.Migration):
    replaces = [("payments", "0006_partner_wall")]
    dependencies = [("payments", "0003_work")]
    operations = [
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OF_AN_INVESTOR],
        *[migrations.RunSQL(partner_policy_sql(table), drop_partner_policy_sql(table)) for table in READ_BY_PARTNERS],
    ]
