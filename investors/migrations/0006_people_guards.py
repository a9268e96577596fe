"""The wall below the views, for everything that came with the whole of an investor's life."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OWNED = [
    "investors_kycrequest",
    "investors_kycrequestevent",
    "investors_document",
    "investors_mandate",
    "investors_mandateevent",
    "investors_changerequest",
    "investors_changerequestevent",
    "investors_taxresidence",
    "investors_fieldsource",
    "investors_invite",
]


class Migration(migrations.Migration):
    dependencies = [("investors", "0005_people_whole")]
    operations = [migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OWNED]
