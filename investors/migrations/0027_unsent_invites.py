from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("investors", "0026_machine_invites")]

    operations = [
        migrations.AddIndex(
            "invite",
            models.Index(
                condition=Q(sent="", used_at=None, revoked_at=None), fields=["expires_at"], name="invites_not_sent_yet"
            ),
        ),
    ]
