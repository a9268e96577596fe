"""What all processes share about a provider: one row each, unlogged, because it is moved with every few calls."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("portal", "0003_evidence_wall")]
    operations = [
        migrations.CreateModel(
            name="Provider",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("free_at", models.DateTimeField(db_default=Now())),
                ("answered_at", models.DateTimeField(null=True)),
                ("trouble_at", models.DateTimeField(null=True)),
                ("open_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RunSQL("ALTER TABLE portal_provider SET UNLOGGED", "ALTER TABLE portal_provider SET LOGGED"),
    ]
