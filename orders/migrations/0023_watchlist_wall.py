"""The wall below the views, for the watchlist."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql


class Migration(migrations.Migration):
    dependencies = [("orders", "0022_quotes")]
    operations = [
        migrations.RunSQL(owner_policy_sql("orders_watchedshare"), drop_owner_policy_sql("orders_watchedshare"))
    ]
