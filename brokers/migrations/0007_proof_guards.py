"""The wall below the views, for the papers that investors send about their orders."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

TABLE = "brokers_orderproof"


class Migration(migrations.Migration):
    dependencies = [("brokers", "0006_proofs")]
    operations = [migrations.RunSQL(owner_policy_sql(TABLE), drop_owner_policy_sql(TABLE))]
