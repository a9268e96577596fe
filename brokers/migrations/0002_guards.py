"""The wall below the views, for an investor's accounts at brokers."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = ["brokers_brokeraccount", "brokers_brokeraccountevent", "brokers_linkstate", "brokers_brokerorderref"]


class Migration(migrations.Migration):
    dependencies = [("brokers", "0001_accounts")]
    operations = [migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED]
