"""Nobody whom the provider knows, or whose PAN is claimed, is ever merged away: as a fact of the database."""

from django.db import migrations

GUARD = """
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
UNGUARD = """
DROP TRIGGER whoever_was_merged_away_stays_away ON investors_investor;
DROP FUNCTION investors_merged_stays();
DROP TRIGGER a_merge_keeps_what_the_provider_knows ON investors_merge;
DROP FUNCTION investors_merge_keeps();
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0013_merging")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
