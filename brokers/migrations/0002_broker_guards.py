"""What the database itself enforces for what brokers told us."""

from django.db import migrations


class Migration(migrations.Migration):
    replaces = [("brokers", "0002_guards"), ("brokers", "0005_omex_guards")]
    dependencies = [("brokers", "0001_tables")]
    operations = []
