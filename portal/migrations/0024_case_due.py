"""Which of the two moments counts: somebody who has claimed a case has looked. By it the lists are sorted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portal", "0023_case_clock")]
    operations = [
        migrations.AddField(
            "case",
            "due_at",
            models.GeneratedField(
                expression=models.Case(
                    models.When(owner=None, then=models.F("look_by")), default=models.F("settle_by")
                ),
                output_field=models.DateTimeField(),
                db_persist=True,
            ),
        ),
        migrations.AddIndex(
            "case", models.Index(fields=["due_at", "id"], condition=models.Q(state="OPEN"), name="cases_due")
        ),
    ]
