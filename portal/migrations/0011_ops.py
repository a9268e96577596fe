"""Rupees at risk of a case, and how the last runs of scheduled tasks went."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0010_notices"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobRun",
            fields=[
                ("task", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("runs", models.PositiveBigIntegerField(default=0)),
                ("failures", models.PositiveBigIntegerField(default=0)),
                ("ran_at", models.DateTimeField(null=True)),
                ("took_ms", models.PositiveIntegerField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.AddField(
            model_name="case",
            name="rupees",
            field=models.DecimalField(
                blank=True, decimal_places=2, max_digits=17, null=True, verbose_name="rupees at risk"
            ),
        ),
    ]
