"""The tables of brokers: accounts, references, what brokers told us and what investors showed us."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import portal.encryption
import portal.migrating


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("brokers", "0001_accounts"),
        ("brokers", "0003_link_states"),
        ("brokers", "0004_omex"),
        ("brokers", "0006_proofs"),
        ("brokers", "0008_settlements"),
        ("brokers", "0010_what_a_paper_shows"),
    ]
    dependencies = [("orders", "0007_walls")]

    operations = [
        portal.migrating.CreateTables(
            operations=[
                migrations.CreateModel(
                    name="BrokerAccount",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "investor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="investors.investor",
                            ),
                        ),
                        ("code", models.CharField(editable=False, max_length=20, unique=True)),
                        (
                            "broker",
                            models.CharField(
                                choices=[
                                    ("smallcase", "smallcase Gateway"),
                                    ("odin", "ODIN Connector"),
                                    ("5paisa", "5paisa"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("account_ref", models.CharField(max_length=80)),
                        ("house", models.CharField(blank=True, max_length=30)),
                        ("label", models.CharField(blank=True, max_length=80)),
                        (
                            "session",
                            portal.encryption.EncryptedTextField(
                                blank=True, editable=False, null=True, verbose_name="the broker's session"
                            ),
                        ),
                        ("session_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("linked_at", models.DateTimeField()),
                        ("unlinked_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("unlinked_at__isnull", True)),
                                fields=("broker", "account_ref"),
                                name="a_broker_account_is_linked_to_one_investor",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("session__isnull", True), ("session_expires_at__isnull", False), _connector="OR"
                                ),
                                name="a_session_has_an_end",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="brokeraccount",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "brokers_brokeraccountevent" ("account_ref", "broker", "code", "house", "id", "investor_id", "label", "linked_at", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "session_expires_at", "unlinked_at") VALUES (NEW."account_ref", NEW."broker", NEW."code", NEW."house", NEW."id", NEW."investor_id", NEW."label", NEW."linked_at", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."session_expires_at", NEW."unlinked_at"); RETURN NULL;',
                            hash="d07f2ebf21c04e97dd67a72b7bb4f6c812849887",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_bb67a",
                            table="brokers_brokeraccount",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="brokeraccount",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."account_ref" IS DISTINCT FROM (NEW."account_ref") OR OLD."broker" IS DISTINCT FROM (NEW."broker") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."house" IS DISTINCT FROM (NEW."house") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."investor_id" IS DISTINCT FROM (NEW."investor_id") OR OLD."label" IS DISTINCT FROM (NEW."label") OR OLD."linked_at" IS DISTINCT FROM (NEW."linked_at") OR OLD."session_expires_at" IS DISTINCT FROM (NEW."session_expires_at") OR OLD."unlinked_at" IS DISTINCT FROM (NEW."unlinked_at"))',
                            func='INSERT INTO "brokers_brokeraccountevent" ("account_ref", "broker", "code", "house", "id", "investor_id", "label", "linked_at", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "session_expires_at", "unlinked_at") VALUES (NEW."account_ref", NEW."broker", NEW."code", NEW."house", NEW."id", NEW."investor_id", NEW."label", NEW."linked_at", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."session_expires_at", NEW."unlinked_at"); RETURN NULL;',
                            hash="78e117f534f3f272c98ba50a6ffd2984861ef414",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_d6f97",
                            table="brokers_brokeraccount",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="BrokerAccountEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="events",
                                to="brokers.brokeraccount",
                            ),
                        ),
                        (
                            "pgh_context",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pghistory.context",
                            ),
                        ),
                        ("id", models.BigIntegerField()),
                        (
                            "investor",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.investor",
                            ),
                        ),
                        ("code", models.CharField(editable=False, max_length=20)),
                        (
                            "broker",
                            models.CharField(
                                choices=[
                                    ("smallcase", "smallcase Gateway"),
                                    ("odin", "ODIN Connector"),
                                    ("5paisa", "5paisa"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("account_ref", models.CharField(max_length=80)),
                        ("house", models.CharField(blank=True, max_length=30)),
                        ("label", models.CharField(blank=True, max_length=80)),
                        ("session_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("linked_at", models.DateTimeField()),
                        ("unlinked_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="LinkState",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "investor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="investors.investor",
                            ),
                        ),
                        ("state_hash", models.CharField(max_length=64, unique=True)),
                        (
                            "broker",
                            models.CharField(
                                choices=[
                                    ("smallcase", "smallcase Gateway"),
                                    ("odin", "ODIN Connector"),
                                    ("5paisa", "5paisa"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("house", models.CharField(blank=True, max_length=30)),
                        (
                            "account",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="brokers.brokeraccount",
                            ),
                        ),
                        (
                            "basket_order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.basketorder",
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField()),
                        ("asked_at", models.DateTimeField(blank=True, null=True)),
                        ("used_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="BrokerOrderRef",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "investor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="investors.investor",
                            ),
                        ),
                        (
                            "broker",
                            models.CharField(
                                choices=[
                                    ("smallcase", "smallcase Gateway"),
                                    ("odin", "ODIN Connector"),
                                    ("5paisa", "5paisa"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("ref", models.CharField(max_length=10)),
                        (
                            "basket_order",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="broker_order_ref",
                                to="orders.basketorder",
                            ),
                        ),
                        ("allocated_at", models.DateTimeField()),
                        ("news_after", models.PositiveBigIntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("broker", "ref"), name="a_broker_reference_is_handed_out_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OmexEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "investor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="investors.investor",
                            ),
                        ),
                        (
                            "basket_order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="omex_events",
                                to="orders.basketorder",
                            ),
                        ),
                        ("kind", models.CharField(choices=[("ORDER", "order"), ("TRADE", "trade")], max_length=5)),
                        ("sequence", models.PositiveBigIntegerField()),
                        ("order_key", models.CharField(max_length=60)),
                        ("exchange_ref", models.CharField(blank=True, max_length=60)),
                        ("token", models.CharField(max_length=30)),
                        ("symbol", models.CharField(blank=True, max_length=30)),
                        ("side", models.CharField(blank=True, max_length=4)),
                        ("account_ref", models.CharField(blank=True, max_length=80)),
                        ("status", models.SmallIntegerField(blank=True, null=True)),
                        ("quantity", models.PositiveIntegerField(default=0)),
                        ("traded", models.PositiveIntegerField(default=0)),
                        ("reason", models.CharField(blank=True, max_length=300)),
                        ("trade_number", models.CharField(blank=True, max_length=60)),
                        ("price", models.DecimalField(blank=True, decimal_places=4, max_digits=15, null=True)),
                        ("fetched_at", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("basket_order", "kind", "order_key", "sequence"),
                                name="a_message_of_omex_is_kept_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind", "ORDER"), ("status__isnull", False)),
                                    models.Q(
                                        ("kind", "TRADE"),
                                        ("price__gt", 0),
                                        ("price__isnull", False),
                                        ("traded__gte", 1),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_trade_has_a_price_and_an_order_a_status",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NewsCursor",
                    fields=[
                        (
                            "broker",
                            models.CharField(
                                choices=[
                                    ("smallcase", "smallcase Gateway"),
                                    ("odin", "ODIN Connector"),
                                    ("5paisa", "5paisa"),
                                ],
                                max_length=12,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("sequence", models.PositiveBigIntegerField(default=0)),
                        ("read_at", models.DateTimeField(blank=True, null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="OrderProof",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "investor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="investors.investor",
                            ),
                        ),
                        (
                            "basket_order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="proofs",
                                to="orders.basketorder",
                            ),
                        ),
                        (
                            "document",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="investors.document"
                            ),
                        ),
                        (
                            "shows",
                            models.CharField(
                                choices=[("PLACED", "what was executed"), ("NOTHING", "that nothing was placed")],
                                db_default="PLACED",
                                default="PLACED",
                                max_length=8,
                            ),
                        ),
                        ("sent_at", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("shows__in", ("PLACED", "NOTHING"))),
                                name="a_paper_shows_what_was_executed_or_that_nothing_was_placed",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ShareSettlement",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "investor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="investors.investor",
                            ),
                        ),
                        (
                            "stock_order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="settlements",
                                to="orders.stockorder",
                            ),
                        ),
                        ("order_number", models.CharField(blank=True, max_length=60)),
                        ("filled", models.PositiveIntegerField(default=0, verbose_name="shares executed")),
                        (
                            "price",
                            models.DecimalField(
                                blank=True,
                                decimal_places=4,
                                max_digits=15,
                                null=True,
                                verbose_name="average price, rupees",
                            ),
                        ),
                        ("evidence", models.CharField(max_length=300)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("WAITING", "waits for a second person"),
                                    ("APPROVED", "approved"),
                                    ("DECLINED", "declined"),
                                ],
                                default="WAITING",
                                max_length=10,
                            ),
                        ),
                        (
                            "asked_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        (
                            "decided_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("decided_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "WAITING")),
                                fields=("stock_order",),
                                name="one_waiting_settlement_per_share",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("filled", 0), ("price__isnull", True)),
                                    models.Q(
                                        ("filled__gte", 1),
                                        ("price__gt", 0),
                                        ("price__isnull", False),
                                        models.Q(("order_number", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="what_was_executed_has_a_number_and_a_price",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("decided_at__isnull", True), ("decided_by__isnull", True), ("state", "WAITING")
                                    ),
                                    models.Q(
                                        models.Q(("state", "WAITING"), _negated=True),
                                        ("decided_at__isnull", False),
                                        ("decided_by__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_decided_settlement_names_who_decided",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "APPROVED"), _negated=True),
                                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                                    _connector="OR",
                                ),
                                name="a_settlement_is_approved_by_a_second_person",
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]
