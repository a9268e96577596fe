"""Staff read "order", not "mf order"."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_scheme_list")]
    operations = [migrations.AlterModelOptions(name="mforder", options={"ordering": ["-id"], "verbose_name": "order"})]
