"""The few payments that are on their way are found without reading those that have ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("investors", "0004_consent_sent_at"),
        ("payments", "0002_guards"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ("CREATED", "STARTING", "AWAITING_INVESTOR", "DEBITED", "TRANSFERRED"))
                ),
                fields=["state", "state_since"],
                name="payment_open",
            ),
        ),
    ]
