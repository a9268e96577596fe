"""Registrations on their way are counted by their state, also where a million applications lie unfinished."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("investors", "0008_possible_doubles"),
        ("portal", "0008_messages_to_many"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="investor",
            name="investor_on_the_way",
        ),
        migrations.AddIndex(
            model_name="investor",
            index=models.Index(
                condition=models.Q(("state", "READY"), _negated=True),
                fields=["state", "state_since"],
                name="investor_by_state_on_the_way",
            ),
        ),
    ]
