"""Changes of payments are told to the partner who brought the investor (`portal/webhooks`)."""

from django.db import migrations

from portal.webhooks.tables import tells_nobody_sql, tells_partners_sql

TABLE = "payments_payment"


class Migration(migrations.Migration):
    dependencies = [("payments", "0007_work"), ("investors", "0022_tell_partners")]
    operations = [migrations.RunSQL(tells_partners_sql(TABLE, "payment"), tells_nobody_sql(TABLE))]
