"""A KYC answer never changes, but the keys under which it is kept do (`manage.py rotate_keys`).

While a transaction says that it rotates, the encrypted words and the blind index may be written anew; nothing else.
While it says that it erases, it may be emptied (migration 0012).
"""

from django.db import migrations

REKEYED = "'{verbatim,pan_index}'::text[]"
ERASING = "coalesce(current_setting('portal.erasing', true), '') = 'on'"
ROTATING = "coalesce(current_setting('portal.rotating', true), '') = 'on'"
KEEP = f"""
DROP TRIGGER kyc_check_never_changes ON investors_kyccheck;
CREATE TRIGGER kyc_check_never_changes BEFORE UPDATE ON investors_kyccheck FOR EACH ROW
    WHEN (NOT ({ERASING} OR {ROTATING} AND to_jsonb(OLD) - {REKEYED} = to_jsonb(NEW) - {REKEYED}))
    EXECUTE FUNCTION portal_refuse_change();
CREATE TRIGGER kyc_check_never_goes BEFORE DELETE ON investors_kyccheck FOR EACH ROW
    WHEN (NOT ({ERASING})) EXECUTE FUNCTION portal_refuse_change();
"""
BEFORE = f"""
DROP TRIGGER kyc_check_never_goes ON investors_kyccheck;
DROP TRIGGER kyc_check_never_changes ON investors_kyccheck;
CREATE TRIGGER kyc_check_never_changes BEFORE UPDATE OR DELETE ON investors_kyccheck FOR EACH ROW
    WHEN (NOT ({ERASING})) EXECUTE FUNCTION portal_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0016_desk_in_the_queue"), ("portal", "0002_guards")]
    operations = [migrations.RunSQL(KEEP, BEFORE)]
