"""The proof of a permanent address that is another one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("investors", "0022_tell_partners"),
    ]

    operations = [
        migrations.AlterField(
            model_name="document",
            name="kind",
            field=models.CharField(
                choices=[
                    ("IDENTITY_PROOF", "PAN card"),
                    ("ADDRESS_FRONT", "address proof, front"),
                    ("ADDRESS_BACK", "address proof, back"),
                    ("PERMANENT_FRONT", "permanent address proof, front"),
                    ("PERMANENT_BACK", "permanent address proof, back"),
                    ("PHOTO", "photo"),
                    ("SIGNATURE", "signature"),
                    ("IPV_VIDEO", "video of yourself"),
                    ("CANCELLED_CHEQUE", "cancelled cheque"),
                    ("MANDATE_FORM", "signed mandate form"),
                ],
                max_length=20,
            ),
        ),
    ]
