"""The wall below the views, for how share orders ended that somebody entered by a broker's evidence."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

TABLE = "brokers_sharesettlement"


class Migration(migrations.Migration):
    dependencies = [("brokers", "0008_settlements")]
    operations = [migrations.RunSQL(owner_policy_sql(TABLE), drop_owner_policy_sql(TABLE))]
