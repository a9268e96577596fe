"""Roles of staff change with two persons, whatever code asks for it (reliability.md P34).

Web processes connect with `portal.console` off (settings.py). There the database lets a group, a staff flag or a
superuser flag change only while a `RoleChange` for it is APPROVED, which the operation is for one transaction; direct
permissions and the permissions of groups do not change at all. Commands on the machine itself run with it on.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from portal.scope import policies_sql, without_policies_sql

POLICY = {"ALL": "current_setting('portal.scope', true) = 'all'"}

GUARDS = """
CREATE FUNCTION portal_at_the_console() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('portal.console', true), '') = 'on'
$$;

-- A null role stands for any: the staff flag follows the roles.
CREATE FUNCTION portal_needs_second_person(who bigint, wanted text, giving boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT portal_at_the_console() AND NOT EXISTS (
        SELECT 1 FROM portal_rolechange WHERE user_id = who AND state = 'APPROVED'
           AND (wanted IS NULL OR (role = wanted AND give = giving))
    ) THEN
        RAISE EXCEPTION 'roles and rights of people change when a second person has approved'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$;

CREATE FUNCTION portal_user_groups_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE row portal_user_groups := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM portal_needs_second_person(OLD.user_id, '', false);
    END IF;
    PERFORM portal_needs_second_person(
        row.user_id, (SELECT name FROM auth_group WHERE id = row.group_id), TG_OP <> 'DELETE'
    );
    RETURN row;
END $$;
CREATE TRIGGER roles_need_a_second_person BEFORE INSERT OR UPDATE OR DELETE ON portal_user_groups
    FOR EACH ROW EXECUTE FUNCTION portal_user_groups_change();

CREATE FUNCTION portal_user_flags_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE was_staff boolean := false; was_superuser boolean := false;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        was_staff := OLD.is_staff;
        was_superuser := OLD.is_superuser;
    END IF;
    IF NEW.is_superuser <> was_superuser THEN
        PERFORM portal_needs_second_person(NEW.id, 'every right', NEW.is_superuser);
    END IF;
    IF NEW.is_staff <> was_staff THEN
        PERFORM portal_needs_second_person(NEW.id, NULL, NULL);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER flags_need_a_second_person BEFORE INSERT OR UPDATE OF is_staff, is_superuser ON portal_user
    FOR EACH ROW EXECUTE FUNCTION portal_user_flags_change();

CREATE FUNCTION portal_rights_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT portal_at_the_console() THEN
        RAISE EXCEPTION 'rights stand in portal/roles.py and change with a release'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rights_change_with_a_release BEFORE INSERT OR UPDATE ON portal_user_user_permissions
    FOR EACH ROW EXECUTE FUNCTION portal_rights_change();
CREATE TRIGGER rights_change_with_a_release BEFORE INSERT OR UPDATE ON auth_group_permissions
    FOR EACH ROW EXECUTE FUNCTION portal_rights_change();

-- A change is asked for, decided once, applied once; what was asked for is never exchanged.
CREATE FUNCTION portal_rolechange_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state = 'ASKED' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.user_id, OLD.role, OLD.give, OLD.asked_by_id, OLD.asked_at)
                          = (NEW.user_id, NEW.role, NEW.give, NEW.asked_by_id, NEW.asked_at)
            AND (OLD.state, NEW.state) IN (('ASKED', 'APPROVED'), ('ASKED', 'REFUSED'), ('ASKED', 'WITHDRAWN'),
                                           ('APPROVED', 'APPLIED'))
            AND (OLD.state = 'ASKED' OR OLD.decided_by_id = NEW.decided_by_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a change of a role is asked for, decided once and applied once'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER a_role_change_is_decided_once BEFORE INSERT OR UPDATE OR DELETE ON portal_rolechange
    FOR EACH ROW EXECUTE FUNCTION portal_rolechange_steps();
"""
UNGUARD = """
DROP TRIGGER a_role_change_is_decided_once ON portal_rolechange;
DROP TRIGGER rights_change_with_a_release ON auth_group_permissions;
DROP TRIGGER rights_change_with_a_release ON portal_user_user_permissions;
DROP TRIGGER flags_need_a_second_person ON portal_user;
DROP TRIGGER roles_need_a_second_person ON portal_user_groups;
DROP FUNCTION portal_rolechange_steps();
DROP FUNCTION portal_rights_change();
DROP FUNCTION portal_user_flags_change();
DROP FUNCTION portal_user_groups_change();
DROP FUNCTION portal_needs_second_person(bigint, text, boolean);
DROP FUNCTION portal_at_the_console();
"""

PERSON = {"on_delete": django.db.models.deletion.PROTECT, "to": settings.AUTH_USER_MODEL}
STATES = [
    ("ASKED", "waits for a second person"),
    ("APPROVED", "approved"),
    ("APPLIED", "approved and applied"),
    ("REFUSED", "refused"),
    ("WITHDRAWN", "withdrawn"),
]


class Migration(migrations.Migration):
    dependencies = [("portal", "0004_providers")]
    operations = [
        migrations.CreateModel(
            name="RoleChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(max_length=40)),
                ("give", models.BooleanField()),
                ("state", models.CharField(choices=STATES, default="ASKED", max_length=9)),
                ("asked_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=300)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.CharField(blank=True, max_length=300)),
                ("user", models.ForeignKey(related_name="role_changes", **PERSON)),
                ("asked_by", models.ForeignKey(related_name="role_changes_asked", **PERSON)),
                ("decided_by", models.ForeignKey(blank=True, null=True, related_name="role_changes_decided", **PERSON)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["user", "role"], condition=Q(state="ASKED"), name="one_open_role_change"
                    ),
                    models.CheckConstraint(
                        condition=~Q(asked_by=F("user")), name="nobody_asks_for_a_role_of_their_own"
                    ),
                    models.CheckConstraint(
                        condition=Q(state="ASKED", decided_by__isnull=True)
                        | Q(state="WITHDRAWN", decided_by=F("asked_by"))
                        | (
                            Q(state__in=["APPROVED", "APPLIED", "REFUSED"], decided_by__isnull=False)
                            & ~Q(decided_by=F("asked_by"))
                            & ~Q(decided_by=F("user"))
                        ),
                        name="a_role_change_is_decided_by_a_second_person",
                    ),
                ]
            },
        ),
        migrations.RunSQL(policies_sql("portal_rolechange", POLICY), without_policies_sql("portal_rolechange", POLICY)),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
