"""Seed the editable table of market holidays."""

import csv
from pathlib import Path

from django.db import migrations

SOURCE = Path(__file__).resolve().parent.parent / "data" / "holidays.csv"


def seed(apps, schema_editor):
    Holiday = apps.get_model("orders", "Holiday")
    with SOURCE.open(encoding="utf-8") as lines:
        Holiday.objects.bulk_create(
            [Holiday(on=row["date"], name=row["name"] or "Market holiday") for row in csv.DictReader(lines)],
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_guards")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
