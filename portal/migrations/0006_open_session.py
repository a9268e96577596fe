"""The first question of every signed-in page in one statement: the session, whom it names, and what they may see.

Sessions move to a table that knows whose they are; whoever is signed in while this runs signs in once more.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OPEN = """
-- The connection sees afterwards what the person of the session may see, and nothing when there is none. No row: no such
-- session, or it has expired. A session that names nobody (before signing in) has no person.
CREATE FUNCTION portal_open(key text, at timestamptz)
    RETURNS TABLE (session_data text, scope text, person portal_user) LANGUAGE plpgsql ROWS 1 AS $$
DECLARE who bigint;
BEGIN
    PERFORM set_config('portal.scope', 'door', false);
    scope := 'none';
    SELECT s.session_data, s.user_id INTO portal_open.session_data, who
      FROM portal_session s WHERE s.session_key = key AND s.expire_date > at;
    IF FOUND THEN
        SELECT * INTO person FROM portal_user WHERE id = who AND is_active;
        IF person.id IS NOT NULL THEN
            scope := CASE WHEN person.is_staff THEN 'all' ELSE 'user:' || person.id END;
        END IF;
        RETURN NEXT;
    END IF;
    PERFORM set_config('portal.scope', scope, false);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("portal", "0005_second_person")]
    operations = [
        migrations.CreateModel(
            "Session",
            [
                ("session_key", models.CharField("session key", max_length=40, primary_key=True, serialize=False)),
                ("session_data", models.TextField("session data")),
                ("expire_date", models.DateTimeField("expire date", db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, django.db.models.deletion.CASCADE, related_name="+", null=True
                    ),
                ),
            ],
            {"verbose_name": "session", "verbose_name_plural": "sessions", "abstract": False},
        ),
        migrations.RunSQL(OPEN, "DROP FUNCTION portal_open(text, timestamptz);"),
    ]
