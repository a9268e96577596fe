"""Of a transfer each firm reads what is for it, by a view; the row itself, with what was said, is for staff and investor.

A policy lets a row be read or not. The row of a transfer has words of several people, and no firm may read all of them.
"""

from django.db import migrations, models

STAFF = "current_setting('portal.scope', true) = 'all'"
HERS = f"{STAFF} OR investor_id = (SELECT portal_scope_investor())"
FIRMS = f"{HERS} OR (SELECT portal_scope_partner()) IN (from_partner_id, to_partner_id)"
READ = "ALTER POLICY investors_transfer_select ON investors_transfer USING ({});"
VIEW = """
CREATE FUNCTION investors_transfers_of(firm bigint) RETURNS TABLE (
    id bigint, code varchar, goes boolean, from_partner_id bigint, to_partner_id bigint, from_name varchar,
    to_name varchar, name varchar, state varchar, state_since timestamptz, asked_at timestamptz,
    objections_until timestamptz, objection varchar
) LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true);
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    RETURN QUERY
    SELECT t.id, t.code, side.goes, t.from_partner_id, t.to_partner_id, t.from_name, t.to_name,
           CASE WHEN i.partner_id = firm THEN i.name ELSE '' END, t.state, t.state_since, t.asked_at,
           t.objections_until, CASE WHEN side.goes THEN t.objection ELSE '' END
      FROM investors_transfer t
      JOIN investors_investor i ON i.id = t.investor_id
     CROSS JOIN LATERAL (SELECT t.from_partner_id IS NOT DISTINCT FROM firm AS goes) side
     WHERE t.from_partner_id = firm OR t.to_partner_id = firm;
    PERFORM set_config('portal.scope', before, false);
END $$;
-- The function looks over the wall; the reader's own wall says for whom.
CREATE VIEW v_firm_transfers AS SELECT * FROM investors_transfers_of(portal_scope_partner());
"""
NO_VIEW = """
DROP VIEW v_firm_transfers;
DROP FUNCTION investors_transfers_of(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0003_walls")]

    operations = [
        migrations.CreateModel(
            name="FirmTransfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20)),
                ("goes", models.BooleanField()),
                ("from_name", models.CharField(max_length=120)),
                ("to_name", models.CharField(max_length=120)),
                ("name", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "time for objections"),
                            ("OBJECTED", "objected to"),
                            ("DONE", "done"),
                            ("STOPPED", "stopped"),
                        ],
                        max_length=8,
                    ),
                ),
                ("state_since", models.DateTimeField()),
                ("asked_at", models.DateTimeField()),
                ("objections_until", models.DateTimeField()),
                ("objection", models.CharField(max_length=300)),
            ],
            options={"db_table": "v_firm_transfers", "managed": False},
        ),
        migrations.RunSQL(READ.format(HERS), READ.format(FIRMS)),
        migrations.RunSQL(VIEW, NO_VIEW),
    ]
