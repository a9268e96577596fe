"""The list of what is for sale needs no sorting, and the daily rewrite of every row's NAV stays inside its page."""

from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_holidays")]
    operations = [
        migrations.AddIndex(
            model_name="scheme",
            index=models.Index(
                models.Case(models.When(option="GROWTH", then=0), default=1, output_field=models.IntegerField()),
                Lower("name"),
                "id",
                condition=models.Q(is_active=True, purchase_allowed=True, plan="REGULAR", is_close_ended=False),
                name="scheme_for_sale",
            ),
        ),
        migrations.AlterField(
            model_name="scheme",
            name="synced_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="last changed by FP"),
        ),
        # Each NAV day writes every row once. With room left in the page the new version needs no new index entries
        # (a heap-only update), and the search does not read a table that has grown to many times its size.
        migrations.RunSQL(
            "ALTER TABLE orders_scheme SET (fillfactor = 55, autovacuum_vacuum_scale_factor = 0.1)",
            "ALTER TABLE orders_scheme RESET (fillfactor, autovacuum_vacuum_scale_factor)",
        ),
    ]
