"""Words only: what the desk calls the journal's rows and an address."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portal", "0006_open_session")]
    operations = [
        migrations.AlterModelOptions("gatewaycall", {"verbose_name": "provider call"}),
        migrations.AlterField("user", "email", models.EmailField(max_length=254, verbose_name="email")),
    ]
