"""A KYC answer never changes, but the keys under which it is kept do (`manage.py rotate_keys`).

While a transaction says that it rotates, the encrypted words and the blind index may be written anew; nothing else.
"""

from django.db import migrations

REKEYED = "'{verbatim,pan_index}'::text[]"
KEEP = f"""
DROP TRIGGER kyc_check_never_changes ON investors_kyccheck;
CREATE TRIGGER kyc_check_never_changes BEFORE UPDATE ON investors_kyccheck FOR EACH ROW
    WHEN (NOT (coalesce(current_setting('portal.rotating', true), '') = 'on'
               AND to_jsonb(OLD) - {REKEYED} = to_jsonb(NEW) - {REKEYED}))
    EXECUTE FUNCTION portal_refuse_change();
CREATE TRIGGER kyc_check_never_goes BEFORE DELETE ON investors_kyccheck
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();
"""
BEFORE = """
DROP TRIGGER kyc_check_never_goes ON investors_kyccheck;
DROP TRIGGER kyc_check_never_changes ON investors_kyccheck;
CREATE TRIGGER kyc_check_never_changes BEFORE UPDATE OR DELETE ON investors_kyccheck
    FOR EACH ROW EXECUTE FUNCTION portal_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0011_investor_record"), ("portal", "0002_guards")]
    operations = [migrations.RunSQL(KEEP, BEFORE)]
