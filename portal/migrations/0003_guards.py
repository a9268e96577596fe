"""What the database itself enforces, and how a connection learns for whom it acts."""

from django.db import migrations

# Audit entries are chained at commit and never changed.
AUDIT = """
CREATE FUNCTION portal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: rows are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_entry_never_changes BEFORE UPDATE OR DELETE ON portal_auditentry
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();
CREATE TRIGGER audit_link_never_changes BEFORE UPDATE OR DELETE ON portal_auditlink
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();

-- Entries from before doors were kept hash as they did.
CREATE FUNCTION portal_audit_hash(previous text, entry portal_auditentry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN (entry).id IS NULL THEN NULL ELSE encode(sha256(convert_to((jsonb_build_array(
        previous, (entry).id, to_char((entry).at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), (entry).actor,
        (entry).action, (entry).subject_kind, (entry).subject_id, (entry).reason, (entry).data
    ) || CASE WHEN (entry).door = '' THEN '[]'::jsonb ELSE jsonb_build_array((entry).door) END)::text, 'UTF8')),
        'hex') END
$$;

-- Deferred: runs at commit, after every row lock of the transaction is held, so the chain's lock cannot deadlock with
-- them and is held for an instant. The lock makes the chain one line: nobody else can read the same last link.
CREATE FUNCTION portal_audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last portal_auditlink;
BEGIN
    PERFORM pg_advisory_xact_lock(727, 35);
    SELECT * INTO last FROM portal_auditlink ORDER BY seq DESC LIMIT 1;
    INSERT INTO portal_auditlink (seq, entry_id, previous_hash, hash) VALUES (
        coalesce(last.seq, 0) + 1, NEW.id, coalesce(last.hash, ''), portal_audit_hash(coalesce(last.hash, ''), NEW)
    );
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_entry_is_linked_at_commit AFTER INSERT ON portal_auditentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portal_audit_link();

CREATE FUNCTION portal_scope_user() RETURNS bigint LANGUAGE sql STABLE AS $$
        SELECT CASE
            WHEN ltrim(substr(current_setting('portal.scope', true),
                              strpos(current_setting('portal.scope', true), ':')), '0123456789:') <> '' THEN NULL
            WHEN current_setting('portal.scope', true) LIKE 'partner:%'
            THEN NULLIF(split_part(current_setting('portal.scope', true), ':', 3), '')::bigint
            WHEN current_setting('portal.scope', true) LIKE ANY (ARRAY['user:%', 'door:%'])
            THEN NULLIF(split_part(current_setting('portal.scope', true), ':', 2), '')::bigint END
    $$;
"""

# Roles of staff change with two persons, whatever code asks for it (reliability.md P34). Web processes connect with
# `portal.console` off (settings.py). There the database lets a group, a staff flag or a superuser flag change only
# while a `RoleChange` for it is APPROVED, which the operation is for one transaction; direct permissions and the
# permissions of groups do not change at all. Commands on the machine itself run with it on.
ROLES = """
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

# The first question of a page or of a partner's machine in one statement: the session or token, whom it names, what
# they may see, and how many notices are unread. The functions of a scope are asked for every row that a policy looks
# at: text functions take a tenth of what regular expressions take.
SESSIONS = """
-- As before, and how many notices the person has not read: ten stands for ten and more.
CREATE FUNCTION portal_open(key text, at timestamptz)
    RETURNS TABLE (session_data text, scope text, person portal_user, unread integer) LANGUAGE plpgsql ROWS 1 AS $$
DECLARE who bigint;
BEGIN
    PERFORM set_config('portal.scope', 'door', false);
    scope := 'none';
    unread := 0;
    SELECT s.session_data, s.user_id INTO portal_open.session_data, who
      FROM portal_session s WHERE s.session_key = key AND s.expire_date > at;
    IF NOT FOUND THEN
        PERFORM set_config('portal.scope', scope, false);
        RETURN;
    END IF;
    SELECT * INTO person FROM portal_user WHERE id = who AND is_active;
    IF person.id IS NOT NULL THEN
        scope := CASE WHEN person.is_staff THEN 'all' ELSE 'user:' || person.id END;
    END IF;
    PERFORM set_config('portal.scope', scope, false);
    SELECT count(*) INTO unread
      FROM (SELECT FROM portal_notice WHERE user_id = person.id AND read_at IS NULL LIMIT 10) few;
    RETURN NEXT;
END $$;

CREATE FUNCTION portal_open_by_token(digest text, at timestamptz)
    RETURNS TABLE (key_id varchar, scopes text) LANGUAGE plpgsql AS $$
    DECLARE whose bigint;
    BEGIN
        PERFORM set_config('portal.scope', 'all', false);
        SELECT k.client_id, t.scopes, k.partner_id INTO key_id, scopes, whose
          FROM allauth_idp_oidc_token AS t JOIN portal_apikey AS k ON k.client_id = t.client_id
         WHERE t.type = 'at' AND t.hash = digest AND t.expires_at > at;
        PERFORM set_config('portal.scope', COALESCE('partner:' || whose, 'none'), false);
        IF whose IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END $$;
"""

# Whose evidence a connection sees; who a session names.
EVIDENCE = """
-- Whoever a session names. The scope of the connection is not known yet at that moment: it is what this answers.
CREATE FUNCTION portal_person(who bigint) RETURNS SETOF portal_user LANGUAGE plpgsql ROWS 1 AS $$
DECLARE before text := current_setting('portal.scope', true);
BEGIN
    PERFORM set_config('portal.scope', 'door', false);
    RETURN QUERY SELECT * FROM portal_user WHERE id = who;
    PERFORM set_config('portal.scope', before, false);
END $$;

-- May this connection see the row that evidence is about? Only rows behind the wall say whose they are.
CREATE FUNCTION portal_sees(kind text, row_id text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE its_table regclass := to_regclass(replace(kind, '.', '_')); seen boolean;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_class WHERE oid = its_table AND relforcerowsecurity) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s WHERE id = $1::bigint)', its_table) INTO seen USING row_id;
    RETURN seen;
END $$;
"""

# What all processes share about a provider: one row each, unlogged, because it is moved with every few calls.
PROVIDERS = """
ALTER TABLE portal_provider SET UNLOGGED;
"""

PARTNERS = """
CREATE FUNCTION portal_scope_partner() RETURNS bigint LANGUAGE sql STABLE AS $$
        SELECT CASE WHEN current_setting('portal.scope', true) LIKE 'partner:%'
                     AND ltrim(substr(current_setting('portal.scope', true), 9), '0123456789:') = ''
            THEN NULLIF(split_part(current_setting('portal.scope', true), ':', 2), '')::bigint END
    $$;
"""

# A proposal is decided once, by a second person; what a rule names changes by a proposal only.
DESK = """
-- A proposal is asked for, decided once, applied once; what was asked for is never exchanged.
CREATE FUNCTION portal_proposal_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state = 'ASKED' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE'
            AND to_jsonb(OLD) - '{state,decided_by_id,decided_at,answer}'::text[]
              = to_jsonb(NEW) - '{state,decided_by_id,decided_at,answer}'::text[]
            AND (OLD.state, NEW.state) IN (('ASKED', 'APPROVED'), ('ASKED', 'REFUSED'), ('ASKED', 'WITHDRAWN'),
                                           ('APPROVED', 'APPLIED'))
            AND (OLD.state = 'ASKED' OR OLD.decided_by_id = NEW.decided_by_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a proposal is asked for, decided once and applied once'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER a_proposal_is_decided_once BEFORE INSERT OR UPDATE OR DELETE ON portal_proposal
    FOR EACH ROW EXECUTE FUNCTION portal_proposal_steps();

-- For tables that are kept as data by two persons: outside of a console a row changes for an approved proposal only.
CREATE FUNCTION portal_changes_by_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT portal_at_the_console() AND NOT EXISTS (
        SELECT 1 FROM portal_proposal WHERE subject_kind = TG_ARGV[0] AND state = 'APPROVED'
    ) THEN
        RAISE EXCEPTION 'rows of % change when a proposal is approved', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER a_rule_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON portal_secondpersonrule
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('portal.secondpersonrule');
CREATE TRIGGER a_wording_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON portal_wording
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('portal.wording');
"""

# Events for partners are written with the change, numbered at commit and chained. The number is given by a deferred
# trigger under the lock of the audit chain (one lock for both, so that no two transactions wait for each other). The
# lock is held until the commit is there to be seen: whoever reads number n reads every number before it. A
# transaction that fails takes its numbers back with it.
#
# A doorbell rings in one statement, `portal_store_event`: for nobody in particular, stored once, counted when it
# rings again. It sees the whole inbox for as long as it runs, and tells only the row's id and whether it is new.
# Where it fails, PostgreSQL takes the scope back with the rest.
EVENTS = r"""
-- Words of an event's moment as the feed has them: Indian time, milliseconds.
CREATE FUNCTION portal_event_moment(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(at AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD"T"HH24:MI:SS.MS') || '+05:30'
$$;

-- The same as `feed.chained`.
CREATE FUNCTION portal_event_hash(previous text, number bigint, event portal_partnerevent)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(concat_ws(E'\n',
        previous, number, (event).code, (event).type, portal_event_moment((event).at),
        (SELECT string_agg(key || '=' || coalesce(value, ''), E'\n' ORDER BY key COLLATE "C")
           FROM jsonb_each_text((event).data))
    ), 'UTF8')), 'hex')
$$;

-- Runs at commit. Whoever made the change need not see events, so the scope is opened for these statements.
CREATE FUNCTION portal_number_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('portal.scope', true);
    last portal_partnerday; number bigint; today date; link text;
BEGIN
    PERFORM pg_advisory_xact_lock(727, 35);
    PERFORM set_config('portal.scope', 'all', false);
    SELECT * INTO last FROM portal_partnerday WHERE partner_id = NEW.partner_id ORDER BY day DESC LIMIT 1;
    number := coalesce(last.last_seq, 0) + 1;
    today := greatest(last.day, (NEW.at AT TIME ZONE 'Asia/Kolkata')::date);
    link := portal_event_hash(coalesce(last.last_hash, ''), number, NEW);
    UPDATE portal_partnerevent SET seq = number, day = today, hash = link WHERE id = NEW.id;
    INSERT INTO portal_partnerday AS d (partner_id, day, events, first_seq, last_seq, last_hash)
         VALUES (NEW.partner_id, today, 1, number, number, link)
    ON CONFLICT (partner_id, day) DO UPDATE
            SET events = d.events + 1, last_seq = EXCLUDED.last_seq, last_hash = EXCLUDED.last_hash;
    INSERT INTO portal_webhookdelivery (endpoint_id, event_id, partner_id, state, tries, due_at)
         SELECT e.id, NEW.id, NEW.partner_id, 'WAITING', 0, NEW.at FROM portal_webhookendpoint AS e
          WHERE e.partner_id = NEW.partner_id AND e.state = 'ACTIVE'
            AND (cardinality(e.kinds) = 0 OR NEW.kind = ANY (e.kinds)) AND NEW.kind <> 'webhook'
    ON CONFLICT (endpoint_id, event_id) DO NOTHING;
    PERFORM set_config('portal.scope', before, false);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER event_is_numbered_at_commit AFTER INSERT ON portal_partnerevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portal_number_event();

-- The only change that an event ever sees is that it gets its number.
CREATE FUNCTION portal_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seq IS NULL AND NEW.seq IS NOT NULL
       AND (to_jsonb(OLD) - '{seq,day,hash}'::text[]) = (to_jsonb(NEW) - '{seq,day,hash}'::text[]) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events of partners are append-only: they are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER event_never_changes BEFORE UPDATE OR DELETE ON portal_partnerevent
    FOR EACH ROW EXECUTE FUNCTION portal_event_stays();

CREATE FUNCTION portal_store_event(
    its_provider text, its_kind text, its_fingerprint text, its_body jsonb, its_subject_kind text, its_subject_id text,
    at timestamptz, OUT event_id bigint, OUT made boolean
) LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true);
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    INSERT INTO portal_inboundevent AS stored (
        provider, kind, fingerprint, body, subject_kind, subject_id, received_at, state, tries, note, times_seen
    ) VALUES (
        its_provider, its_kind, its_fingerprint, its_body, its_subject_kind, its_subject_id, at, 'NEW', 0, '', 1
    )
    ON CONFLICT (provider, fingerprint) DO UPDATE SET times_seen = stored.times_seen + 1
    RETURNING stored.id, stored.xmax = 0 INTO event_id, made;
    PERFORM set_config('portal.scope', before, false);
END $$;
"""


class Migration(migrations.Migration):
    replaces = [
        ("portal", "0002_guards"),
        ("portal", "0004_providers"),
        ("portal", "0005_second_person"),
        ("portal", "0006_open_session"),
        ("portal", "0009_names_of_sessions"),
        ("portal", "0010_notices"),
        ("portal", "0016_event_guards"),
        ("portal", "0019_answers_encrypted"),
        ("portal", "0020_open_by_token"),
        ("portal", "0022_store_event"),
        ("portal", "0023_case_clock"),
    ]
    dependencies = [("portal", "0002_tables")]
    operations = [
        migrations.RunSQL(AUDIT),
        migrations.RunSQL(ROLES),
        migrations.RunSQL(SESSIONS),
        migrations.RunSQL(EVIDENCE),
        migrations.RunSQL(PROVIDERS),
        migrations.RunSQL(PARTNERS),
        migrations.RunSQL(DESK),
        migrations.RunSQL(EVENTS),
    ]
