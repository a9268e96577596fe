"""The inbox has payouts to partners that wait for a second person."""

from importlib import import_module

from django.db import migrations

WORK = import_module("payments.migrations.0003_work").WORK
# The view as it is, from its first word to its last.
VIEW = WORK[WORK.index("CREATE VIEW portal_work") : WORK.index("CREATE INDEX event_failed")]
END = "  ) w\n"
PAYOUTS = """
    UNION ALL
    SELECT 'approval', 'orders.payout', o.id::text, o.code || ': pay ' || p.name, o.asked_at, o.payable, NULL,
           o.asked_by_id
      FROM orders_payout o JOIN portal_partner p ON p.id = o.partner_id WHERE o.state = 'ASKED'
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_walls"), ("orders", "0011_commission")]
    operations = [
        migrations.RunSQL(
            VIEW.replace("CREATE VIEW", "CREATE OR REPLACE VIEW").replace(END, PAYOUTS.lstrip("\n") + END),
            VIEW.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"),
        )
    ]
