"""What is held of a day is found without reading the history, and vacuum tells the index about each new day."""

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_order_guards")]
    operations = [
        migrations.AddIndex(
            model_name="nav",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["on"], name="nav_by_day", pages_per_range=16
            ),
        ),
        # The default waits until a fifth of the table is new, which is a year of days in a table of five.
        migrations.RunSQL(
            "ALTER TABLE orders_nav"
            " SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000)",
            "ALTER TABLE orders_nav RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold)",
        ),
    ]
