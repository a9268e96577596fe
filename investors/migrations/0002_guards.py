"""What the database itself enforces for people and for what they have authorised."""

from django.db import migrations

from portal.webhooks.tables import tells_nobody_sql, tells_partners_sql

# Changes of investors, their KYC and mandates are told to the partner who brought them (`portal/webhooks`).
PARTNERS = """
CREATE FUNCTION portal_tell_partner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('portal.scope', true);
    now_so jsonb := to_jsonb(NEW); was jsonb := '{}';
    of_investors boolean := TG_TABLE_NAME = 'investors_investor';
    partner bigint; investor text; linked boolean := false; word text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        was := to_jsonb(OLD);
        linked := of_investors AND now_so->'partner_id' IS DISTINCT FROM was->'partner_id';
    END IF;
    IF of_investors THEN
        partner := now_so->>'partner_id';
        investor := now_so->>'code';
    ELSE
        PERFORM set_config('portal.scope', 'all', false);
        SELECT i.partner_id, i.code INTO partner, investor FROM investors_investor i
         WHERE i.id = (now_so->>'investor_id')::bigint;
    END IF;
    IF partner IS NOT NULL THEN
        PERFORM set_config('portal.scope', 'all', false);
        word := CASE WHEN linked THEN 'linked' ELSE lower(now_so->>'state') END;
        INSERT INTO portal_partnerevent (code, partner_id, type, kind, at, data, hash) VALUES (
            'evt_' || replace(gen_random_uuid()::text, '-', ''), partner, TG_ARGV[0] || '.' || word, TG_ARGV[0],
            CASE WHEN linked THEN now() ELSE (now_so->>'state_since')::timestamptz END,
            jsonb_build_object(
                'object', TG_ARGV[0], 'id', now_so->>'code', 'investor', investor, 'state', now_so->>'state',
                'previous_state', CASE WHEN linked THEN NULL ELSE was->>'state' END,
                'reason', nullif(now_so->>'failure_code', '')
            ), ''
        );
    END IF;
    PERFORM set_config('portal.scope', before, false);
    RETURN NULL;
END $$;
"""

# Whoever starts an application may act for it, a connection sees the rows of the one investor for whom its person
# acts, and nobody consents for a minor who has turned eighteen. A registry's answer never changes, except that it is
# written anew while a transaction says that it rotates keys (`manage.py rotate_keys`), and emptied while one says
# that it erases somebody.
PEOPLE = """
-- The same as migration 0019, and nobody for a partner's person: at the partner they are no investor.
CREATE FUNCTION portal_scope_investor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT a.investor_id FROM investors_authority a
     WHERE a.user_id = portal_scope_user() AND a.ended_at IS NULL AND portal_scope_partner() IS NULL
     ORDER BY a.investor_id
            = substring(current_setting('portal.scope', true) FROM '^(?:user|door):[0-9]+:([0-9]+)$')::bigint
           DESC NULLS LAST, a.role = 'SELF' DESC, a.id LIMIT 1
$$;
CREATE TRIGGER kyc_check_never_changes BEFORE UPDATE ON investors_kyccheck FOR EACH ROW
    WHEN (NOT (coalesce(current_setting('portal.erasing', true), '') = 'on' OR
        coalesce(current_setting('portal.rotating', true), '') = 'on' AND to_jsonb(OLD) -
        '{verbatim,pan_index}'::text[] = to_jsonb(NEW) - '{verbatim,pan_index}'::text[]))
    EXECUTE FUNCTION portal_refuse_change();
CREATE TRIGGER kyc_check_never_goes BEFORE DELETE ON investors_kyccheck FOR EACH ROW
    WHEN (NOT (coalesce(current_setting('portal.erasing', true), '') = 'on')) EXECUTE FUNCTION portal_refuse_change();

CREATE FUNCTION investors_begin_authority() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO investors_authority (investor_id, user_id, role, began_at)
    VALUES (NEW.id, NEW.user_id, CASE WHEN NEW.kind = 'MINOR' THEN 'GUARDIAN' ELSE 'SELF' END, NEW.created_at);
    RETURN NULL;
END $$;
CREATE TRIGGER who_starts_an_application_may_act AFTER INSERT ON investors_investor
    FOR EACH ROW EXECUTE FUNCTION investors_begin_authority();

CREATE FUNCTION investors_no_consent_for_a_grown_minor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM investors_investor i
         WHERE i.id = NEW.investor_id AND i.kind = 'MINOR'
           AND (i.date_of_birth - 1 + interval '18 years')::date + 1
               <= (coalesce(NEW.given_at, NEW.asked_at) AT TIME ZONE 'Asia/Kolkata')::date)
    THEN
        RAISE EXCEPTION 'a guardian consents to nothing for somebody who is 18'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_guardian_consents_for_a_minor_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_guardian_consents_for_a_minor_only BEFORE INSERT OR UPDATE OF given_at ON investors_consent
    FOR EACH ROW EXECUTE FUNCTION investors_no_consent_for_a_grown_minor();

-- Did the partner of this connection bring the investor? Not SQL: pages of investors should not have to plan it.
CREATE FUNCTION portal_partner_sees(investor bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE ours bigint := portal_scope_partner();
BEGIN
    RETURN ours IS NOT NULL AND EXISTS (SELECT FROM investors_investor WHERE id = investor AND partner_id = ours);
END $$;
"""

# The words of names, for the desk's search; where each application stands. The registries' answer counts for a PAN
# that is not claimed as for one that is (who has it tells nobody), the guardian's counts for a minor. A fresh KYC
# that stopped at something that no step asks for waits for us, and not for the investor.
NAMES = """
CREATE FUNCTION investors_keep_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM investors_nameword WHERE investor_id = NEW.id;
    INSERT INTO investors_nameword (investor_id, word)
    SELECT DISTINCT NEW.id, word FROM regexp_split_to_table(lower(NEW.name), '[^[:alnum:]]+') AS word WHERE word <> '';
    RETURN NULL;
END $$;
CREATE TRIGGER words_of_a_name AFTER INSERT OR UPDATE OF name ON investors_investor
    FOR EACH ROW EXECUTE FUNCTION investors_keep_words();

CREATE VIEW v_applications WITH (security_invoker = true) AS
SELECT 'i' || i.id AS ref, split_part(found.at_, ' ', 1) AS stage, split_part(found.at_, ' ', 2) AS why,
       CASE split_part(found.at_, ' ', 2)
            WHEN 'kyc_refused' THEN c.checked_at
            WHEN 'registry_works' THEN c.checked_at
            WHEN 'registries_follow' THEN k.decided_at
            WHEN 'kyc_desk' THEN k.submitted_at
            WHEN 'kyc_sent' THEN coalesce(k.submitted_at, k.state_since)
            WHEN 'kyc_rejected' THEN k.state_since
            WHEN 'kyc_expired' THEN k.state_since
            WHEN 'kyc_papers' THEN k.state_since
            WHEN 'kyc_stopped' THEN k.state_since
            WHEN 'filling_in' THEN i.created_at
            ELSE i.state_since END AS since,
       CASE WHEN split_part(found.at_, ' ', 2) = 'kyc_papers' THEN k.expires_at END AS until,
       i.state <> 'READY' AS is_open, i.id AS investor_id, NULL::bigint AS invite_id
  FROM investors_investor i
 CROSS JOIN LATERAL (
       SELECT coalesce(CASE WHEN i.kind = 'MINOR' THEN i.guardian_pan_index ELSE i.pan_index END, '') AS index) own
  LEFT JOIN LATERAL (
       SELECT r.state, r.state_since, r.submitted_at, r.approved_at, r.decided_at, r.expires_at, r.refusal
         FROM investors_kycrequest r WHERE r.investor_id = i.id ORDER BY r.id DESC LIMIT 1) k ON i.state = 'DRAFT'
  LEFT JOIN LATERAL (
       SELECT v.is_compliant, v.reason, v.checked_at FROM investors_kyccheck v
        WHERE v.investor_id = i.id AND own.index IN ('', v.pan_index) ORDER BY v.checked_at DESC, v.id DESC LIMIT 1) c
    ON i.state = 'DRAFT'
 CROSS JOIN LATERAL (SELECT CASE
       WHEN i.state = 'READY' THEN 'READY ready'
       WHEN i.state = 'REGISTERING' AND i.due_at IS NOT NULL THEN 'WE_CHECK registering'
       WHEN i.state = 'REGISTERING' AND (i.refusal @> '[{"field": ""}]' OR i.refusal @> '[{"step": ""}]')
            THEN 'WE_CHECK registration_stopped'
       WHEN i.state = 'REGISTERING' THEN 'YOU_ACT registration_refused'
       WHEN c.is_compliant THEN 'IN_PROGRESS filling_in'
       WHEN k.state IN ('DRAFT', 'PENDING') AND k.submitted_at IS NOT NULL AND k.approved_at IS NULL
            THEN 'WE_CHECK kyc_desk'
       WHEN k.state = 'SUBMITTED' OR k.state IN ('DRAFT', 'PENDING') AND k.submitted_at IS NOT NULL AND k.refusal = '[]'
            THEN 'WE_CHECK kyc_sent'
       WHEN k.state IN ('DRAFT', 'PENDING') AND k.refusal @> '[{"step": ""}]'
            AND NOT jsonb_path_exists(k.refusal, '$[*] ? (!exists(@.step))') THEN 'WE_CHECK kyc_stopped'
       WHEN k.state IN ('DRAFT', 'PENDING') THEN 'YOU_ACT kyc_papers'
       WHEN k.state = 'REJECTED' THEN 'YOU_ACT kyc_rejected'
       WHEN k.state = 'EXPIRED' THEN 'YOU_ACT kyc_expired'
       WHEN k.state = 'SUCCESSFUL' AND c.is_compliant IS NOT NULL THEN 'WE_CHECK registries_follow'
       WHEN c.is_compliant = false AND lower(c.reason) IN ('underprocess', 'under_process')
            THEN 'WE_CHECK registry_works'
       WHEN c.is_compliant = false THEN 'YOU_ACT kyc_refused'
       ELSE 'IN_PROGRESS filling_in' END AS at_) found
 WHERE NOT EXISTS (SELECT FROM investors_merge m WHERE m.gone_id = i.id AND m.state = 'APPLIED')
UNION ALL
SELECT 'v' || v.id, 'INVITED', 'invited', coalesce(v.sent_at, v.created_at), v.expires_at, true, NULL, v.id
  FROM investors_invite v WHERE v.used_at IS NULL AND v.revoked_at IS NULL;
"""

# The new address proves itself, one contact of a login changes at a time whoever of its people asks, and a login
# follows nothing else: the address of a ready investor's login changes only while a change of it is being passed on,
# whichever page or command writes it. Otherwise the code, the cooling-off and the notices of `investors/changes.py`
# could be walked around.
CONTACTS = """
CREATE FUNCTION investors_login_is_kept(who bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true); kept boolean;
BEGIN
    PERFORM set_config('portal.scope', 'all', true);
    kept := EXISTS (SELECT 1 FROM investors_investor WHERE user_id = who AND state = 'READY')
        AND coalesce(current_setting('portal.erasing', true), '') <> 'on'
        AND NOT EXISTS (
            SELECT 1 FROM investors_changerequest c JOIN investors_investor i ON i.id = c.investor_id
             WHERE i.user_id = who AND c.what = 'EMAIL' AND c.state = 'SENDING'
        );
    PERFORM set_config('portal.scope', coalesce(before, ''), true);
    RETURN kept;
END $$;

CREATE FUNCTION investors_guard_login() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF lower(NEW.email) <> lower(OLD.email) AND investors_login_is_kept(NEW.id) THEN
        RAISE EXCEPTION 'the login of a ready investor changes by a change request'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER login_of_an_investor_changes_by_request BEFORE UPDATE OF email ON portal_user
    FOR EACH ROW EXECUTE FUNCTION investors_guard_login();

-- A second proved address would be a second way in.
CREATE FUNCTION investors_guard_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.verified AND lower(NEW.email) <> lower((SELECT email FROM portal_user WHERE id = NEW.user_id))
            AND investors_login_is_kept(NEW.user_id) THEN
        RAISE EXCEPTION 'an investor who is ready signs in with one address'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER an_investor_signs_in_with_one_address BEFORE INSERT OR UPDATE ON account_emailaddress
    FOR EACH ROW EXECUTE FUNCTION investors_guard_address();

CREATE FUNCTION investors_keep_contacts_apart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true); whose bigint; is_open boolean; is_near boolean;
BEGIN
    PERFORM set_config('portal.scope', 'all', true);
    SELECT user_id INTO whose FROM investors_investor WHERE id = NEW.investor_id;
    PERFORM FROM portal_user WHERE id = whose FOR NO KEY UPDATE;
    is_open := EXISTS (
        SELECT FROM investors_changerequest c JOIN investors_investor i ON i.id = c.investor_id
         WHERE i.user_id = whose AND c.id <> NEW.id AND c.what IN ('EMAIL', 'MOBILE')
           AND c.state IN ('COOLING', 'CHECKING', 'SENDING'));
    is_near := EXISTS (
        SELECT FROM investors_changerequest c JOIN investors_investor i ON i.id = c.investor_id
         WHERE i.user_id = whose AND c.what IN ('EMAIL', 'MOBILE') AND c.what <> NEW.what
           AND c.state = 'DONE' AND c.done_at > NEW.state_since - interval '10 days');
    PERFORM set_config('portal.scope', coalesce(before, ''), true);
    IF is_open THEN
        RAISE EXCEPTION 'one contact of a login changes at a time' USING ERRCODE = 'integrity_constraint_violation';
    ELSIF is_near AND NEW.state = 'SENDING' THEN
        RAISE EXCEPTION 'email and mobile change ten days apart' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contacts_of_a_login_change_apart BEFORE UPDATE OF state ON investors_changerequest
    FOR EACH ROW WHEN (NEW.what IN ('EMAIL', 'MOBILE') AND NEW.state IN ('COOLING', 'CHECKING', 'SENDING')
        AND (OLD.state = 'ASKED' OR NEW.state = 'SENDING' AND OLD.state <> 'SENDING'))
    EXECUTE FUNCTION investors_keep_contacts_apart();
"""

# Nobody whom the provider knows, or whose PAN is claimed, is ever merged away.
MERGES = """
CREATE FUNCTION investors_merge_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'APPLIED' AND EXISTS (
        SELECT FROM investors_investor i
         WHERE i.id = NEW.gone_id AND (i.provider_ref IS NOT NULL OR i.pan_index IS NOT NULL OR i.state <> 'DRAFT'))
    THEN
        RAISE EXCEPTION 'a merge keeps what the provider knows' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_merge_keeps_what_the_provider_knows BEFORE INSERT OR UPDATE ON investors_merge
    FOR EACH ROW EXECUTE FUNCTION investors_merge_keeps();

-- And who was merged away comes to nothing more: FP never hears of them, and no PAN is claimed in their name.
CREATE FUNCTION investors_merged_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.provider_ref IS NOT NULL OR NEW.state <> 'DRAFT' OR NEW.pan_index IS NOT NULL)
       AND EXISTS (SELECT FROM investors_merge m WHERE m.gone_id = NEW.id AND m.state = 'APPLIED') THEN
        RAISE EXCEPTION 'whoever was merged away stays away' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER whoever_was_merged_away_stays_away BEFORE UPDATE OF provider_ref, state, pan_index ON investors_investor
    FOR EACH ROW EXECUTE FUNCTION investors_merged_stays();
"""

CASES = """
ALTER TABLE investors_investorcase ADD CONSTRAINT a_case_and_its_investor UNIQUE (id, investor_id);
ALTER TABLE investors_casemessage ADD CONSTRAINT a_message_belongs_to_the_investor_of_its_case
    FOREIGN KEY (shown_id, investor_id) REFERENCES investors_investorcase (id, investor_id);

-- An investor's case is closed when the case is, whoever closes it.
CREATE FUNCTION investors_close_shown_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE investors_investorcase SET closed_at = NEW.closed_at WHERE case_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER an_investors_case_closes_with_the_case AFTER UPDATE OF state ON portal_case
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION investors_close_shown_case();

-- What was written stays as it was written; only erasure takes it away.
CREATE FUNCTION investors_message_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'what was written about a case never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM investors_investorcase WHERE id = NEW.shown_id AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'nothing is written about a closed case' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_message_stays_and_its_case_is_open BEFORE INSERT OR UPDATE ON investors_casemessage
    FOR EACH ROW EXECUTE FUNCTION investors_message_stays();
"""

TRANSFERS = """
CREATE FUNCTION investors_transfer_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who goes where and until when one may object never changes'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'what_a_transfer_says_never_changes';
END $$;
CREATE TRIGGER what_a_transfer_says_never_changes BEFORE UPDATE ON investors_transfer FOR EACH ROW
    WHEN ((OLD.investor_id, OLD.from_partner_id, OLD.to_partner_id, OLD.from_name, OLD.to_name, OLD.basis,
           OLD.asked_by_id, OLD.asked_at, OLD.objections_until)
          IS DISTINCT FROM
          (NEW.investor_id, NEW.from_partner_id, NEW.to_partner_id, NEW.from_name, NEW.to_name, NEW.basis,
           NEW.asked_by_id, NEW.asked_at, NEW.objections_until)
          OR OLD.agreed_at IS NOT NULL AND NEW.agreed_at IS DISTINCT FROM OLD.agreed_at
          OR OLD.objected_at IS NOT NULL
             AND (NEW.objected_at, NEW.objection) IS DISTINCT FROM (OLD.objected_at, OLD.objection)
          OR OLD.state IN ('DONE', 'STOPPED'))
    EXECUTE FUNCTION investors_transfer_stays();
"""


class Migration(migrations.Migration):
    replaces = [
        ("investors", "0003_guards"),
        ("investors", "0009_desk_guards"),
        ("investors", "0014_merge_guard"),
        ("investors", "0016_desk_in_the_queue"),
        ("investors", "0017_rotation"),
        ("investors", "0019_authority_guards"),
        ("investors", "0021_same_person"),
        ("investors", "0022_tell_partners"),
        ("investors", "0025_unclaimed_pan"),
        ("investors", "0035_kyc_stopped"),
    ]
    dependencies = [("investors", "0001_tables")]
    operations = [
        migrations.RunSQL(PARTNERS),
        migrations.RunSQL(
            tells_partners_sql("investors_investor", "investor", also="partner_id"),
            tells_nobody_sql("investors_investor"),
        ),
        migrations.RunSQL(tells_partners_sql("investors_kycrequest", "kyc"), tells_nobody_sql("investors_kycrequest")),
        migrations.RunSQL(tells_partners_sql("investors_mandate", "mandate"), tells_nobody_sql("investors_mandate")),
        migrations.RunSQL(PEOPLE),
        migrations.RunSQL(NAMES),
        migrations.RunSQL(CONTACTS),
        migrations.RunSQL(MERGES),
        migrations.RunSQL(CASES),
        migrations.RunSQL(TRANSFERS),
        migrations.RunSQL(tells_partners_sql("investors_transfer", "transfer"), tells_nobody_sql("investors_transfer")),
    ]
