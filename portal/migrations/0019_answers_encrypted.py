"""What a write of a partner answered is kept encrypted: it may name people, or hold a webhook's secret."""

from django.db import migrations

from portal import encryption
from portal.encryption import EncryptedTextField

ROWS = "SELECT id, body FROM portal_idempotentcall WHERE body <> ''"


def _rewritten(rewrite):
    def run(apps, editor):
        with editor.connection.cursor() as cursor:
            cursor.execute(ROWS)
            changed = [(rewrite(body), key) for key, body in cursor.fetchall()]
            cursor.executemany("UPDATE portal_idempotentcall SET body = %s WHERE id = %s", changed)

    return run


class Migration(migrations.Migration):
    dependencies = [("portal", "0018_saved_lists")]
    operations = [
        migrations.AlterField("idempotentcall", "body", EncryptedTextField(blank=True)),
        migrations.RunPython(_rewritten(encryption.encrypt), _rewritten(encryption.decrypt)),
    ]
