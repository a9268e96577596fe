from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("investors", "0035_kyc_stopped")]

    operations = [
        migrations.AddField("consent", "closed_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddConstraint(
            "consent",
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(given_at__isnull=True), name="a_closed_consent_is_never_given"
            ),
        ),
    ]
