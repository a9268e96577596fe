"""Of a transfer the investor reads, by a view, what is told them; what a firm and staff wrote about it is for staff."""

from django.db import migrations, models

STAFF = "current_setting('portal.scope', true) = 'all'"
HERS = f"{STAFF} OR investor_id = (SELECT portal_scope_investor())"
READ = "ALTER POLICY investors_transfer_select ON investors_transfer USING ({});"
VIEW = """
-- It looks over the wall, and only for whoever reads: nobody names an investor to it.
CREATE FUNCTION investors_own_transfers() RETURNS TABLE (
    id bigint, investor_id bigint, code varchar, from_partner_id bigint, to_partner_id bigint, from_name varchar,
    to_name varchar, state varchar, state_since timestamptz, basis varchar, asked_at timestamptz,
    objections_until timestamptz, agreed_at timestamptz, objected_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true); reader bigint := portal_scope_investor();
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    RETURN QUERY
    SELECT t.id, t.investor_id, t.code, t.from_partner_id, t.to_partner_id, t.from_name, t.to_name, t.state,
           t.state_since, t.basis, t.asked_at, t.objections_until, t.agreed_at, t.objected_at
      FROM investors_transfer t
     WHERE t.investor_id = reader;
    PERFORM set_config('portal.scope', before, false);
END $$;
CREATE VIEW v_investor_transfers AS SELECT * FROM investors_own_transfers();
"""
NO_VIEW = """
DROP VIEW v_investor_transfers;
DROP FUNCTION investors_own_transfers();
"""


class Migration(migrations.Migration):
    dependencies = [("investors", "0006_tax_residence_changes")]

    operations = [
        migrations.CreateModel(
            name="InvestorTransfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20)),
                ("from_name", models.CharField(max_length=120)),
                ("to_name", models.CharField(max_length=120)),
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
                ("basis", models.CharField(max_length=300)),
                ("asked_at", models.DateTimeField()),
                ("objections_until", models.DateTimeField()),
                ("agreed_at", models.DateTimeField(null=True)),
                ("objected_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "v_investor_transfers", "managed": False},
        ),
        migrations.RunSQL(READ.format(STAFF), READ.format(HERS)),
        migrations.RunSQL(VIEW, NO_VIEW),
    ]
