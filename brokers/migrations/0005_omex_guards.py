"""The wall below the views, for what ODIN says of an investor's orders."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

TABLE = "brokers_omexevent"


class Migration(migrations.Migration):
    dependencies = [("brokers", "0004_omex")]
    operations = [migrations.RunSQL(owner_policy_sql(TABLE), drop_owner_policy_sql(TABLE))]
