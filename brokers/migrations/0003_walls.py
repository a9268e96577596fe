"""Whose rows a connection sees: what brokers told us."""

from django.db import migrations

from portal.scope import drop_owner_policy_sql, owner_policy_sql

OF_AN_INVESTOR = [
    "brokers_brokeraccount",
    "brokers_brokeraccountevent",
    "brokers_linkstate",
    "brokers_brokerorderref",
    "brokers_omexevent",
    "brokers_orderproof",
    "brokers_sharesettlement",
]


class Migration(migrations.Migration):
    replaces = [("brokers", "0007_proof_guards"), ("brokers", "0009_settlement_guards")]
    dependencies = [("brokers", "0002_broker_guards")]
    operations = [
        *[migrations.RunSQL(owner_policy_sql(table), drop_owner_policy_sql(table)) for table in OF_AN_INVESTOR],
    ]
