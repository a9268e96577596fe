from datetime import timedelta

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("investors", "0036_closed_consents")]

    operations = [
        migrations.AddConstraint(
            "transfer",
            models.CheckConstraint(
                condition=Q(objections_until__gte=F("asked_at") + timedelta(days=15)),
                name="there_are_fifteen_days_for_objections",
            ),
        ),
        migrations.AddConstraint(
            "transfer",
            models.CheckConstraint(
                condition=Q(objected_at__isnull=True) | Q(objected_at__lt=F("objections_until")),
                name="an_objection_is_made_in_time",
            ),
        ),
    ]
