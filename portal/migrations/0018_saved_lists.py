"""Lists of the admin that somebody keeps under a name."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.scope import policies_sql, without_policies_sql

STAFF = {"ALL": "current_setting('portal.scope', true) = 'all'"}


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0017_api_use"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("page", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=40)),
                ("query", models.CharField(max_length=500)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "saved list",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "page", "name"), name="a_list_is_saved_once_by_a_name")
                ],
            },
        ),
        migrations.RunSQL(policies_sql("portal_savedlist", STAFF), without_policies_sql("portal_savedlist", STAFF)),
    ]
