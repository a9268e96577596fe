"""Each case has its clock: by when somebody must have looked, and by when it must be settled.

Of cases that were open before, the clocks run since they were opened; of closed ones nobody asks. Code that does not know
the columns yet opens cases that are due at once.
"""

from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Now

from portal import case_terms


def start(apps, schema_editor):
    Case = apps.get_model("portal", "Case")
    Case.objects.update(look_by=F("opened_at"), settle_by=F("opened_at"))
    for case in Case.objects.filter(state="OPEN").only("kind", "opened_at").iterator():
        look_by, settle_by = case_terms.moments(case.kind, case.opened_at)
        Case.objects.filter(pk=case.pk).update(look_by=look_by, settle_by=settle_by)


class Migration(migrations.Migration):
    dependencies = [("portal", "0022_store_event")]
    operations = [
        migrations.AddField("case", "look_by", models.DateTimeField(db_default=Now(), editable=False)),
        migrations.AddField("case", "settle_by", models.DateTimeField(db_default=Now(), editable=False)),
        migrations.RunPython(start, migrations.RunPython.noop),
    ]
