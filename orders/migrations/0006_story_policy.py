"""The story of an order is read on its page by its investor: a policy that the planner turns into one look-up.

`portal_sees` of the kernel lets the same entries through, at some ten times the price for each. PostgreSQL tries the
policy whose name sorts last first, so this one is called so that it stands before `portal_auditentry_select`.
"""

from django.db import migrations

POLICY = """
CREATE POLICY portal_auditentry_story_of_order ON portal_auditentry FOR SELECT USING (
    subject_kind = 'orders.mforder' AND EXISTS (SELECT 1 FROM orders_mforder o WHERE o.id = subject_id::bigint)
);
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_order_words"), ("portal", "0003_evidence_wall")]
    operations = [migrations.RunSQL(POLICY, "DROP POLICY portal_auditentry_story_of_order ON portal_auditentry")]
