"""Changes of orders, SIPs and basket orders are told to the partner who brought the investor (`portal/webhooks`)."""

from django.db import migrations

from portal.webhooks.tables import tells_nobody_sql, tells_partners_sql

TABLES = {"orders_mforder": "order", "orders_plan": "sip", "orders_basketorder": "basket_order"}


class Migration(migrations.Migration):
    dependencies = [("orders", "0023_watchlist_wall"), ("investors", "0022_tell_partners")]
    operations = [
        migrations.RunSQL(tells_partners_sql(table, kind), tells_nobody_sql(table)) for table, kind in TABLES.items()
    ]
