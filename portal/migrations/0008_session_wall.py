"""Keys of sessions are as good as passwords: a person's connection sees the person's own, and those of nobody.

`portal_open` reads a session by its key before anything is known, as do the pages where one signs in (scope `door`).
"""

from django.db import migrations

from portal.scope import policies_sql, without_policies_sql

SESSIONS = {
    "ALL": "current_setting('portal.scope', true) = 'all' OR current_setting('portal.scope', true) LIKE 'door%'"
    " OR user_id IS NULL OR user_id = portal_scope_user()"
}


class Migration(migrations.Migration):
    dependencies = [("portal", "0007_words")]
    operations = [
        migrations.RunSQL(policies_sql("portal_session", SESSIONS), without_policies_sql("portal_session", SESSIONS))
    ]
