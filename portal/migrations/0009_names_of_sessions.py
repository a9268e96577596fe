"""Rows of sessions are named by a digest of their key and encrypted (portal/sessions.py).

The rows until now carry keys in clear, so they go: whoever is signed in while this runs signs in once more.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("portal", "0008_session_wall"), ("usersessions", "0001_initial")]
    operations = [
        migrations.RunSQL("DELETE FROM portal_session; DELETE FROM usersessions_usersession;", migrations.RunSQL.noop)
    ]
