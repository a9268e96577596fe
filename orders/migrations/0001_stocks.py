"""The tables of securities, baskets and orders of shares."""

from decimal import Decimal

import django.db.models.constraints
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import portal.migrating


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("orders", "0010_stocks"),
        ("orders", "0020_repairs"),
        ("orders", "0022_quotes"),
        ("orders", "0025_stock_changes"),
        ("orders", "0027_basket_looks"),
    ]
    dependencies = [("investors", "0003_walls")]

    operations = [
        portal.migrating.CreateTables(
            operations=[
                migrations.CreateModel(
                    name="Security",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("symbol", models.CharField(max_length=20, unique=True, verbose_name="NSE symbol")),
                        ("isin", models.CharField(max_length=12, unique=True, verbose_name="ISIN")),
                        ("name", models.CharField(max_length=120)),
                        ("series", models.CharField(default="EQ", max_length=4)),
                        ("is_active", models.BooleanField(default=True)),
                        ("last_price", models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True)),
                        ("priced_at", models.DateTimeField(blank=True, null=True)),
                        ("refreshed_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "verbose_name_plural": "securities",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("last_price__isnull", True), ("priced_at__isnull", True)),
                                    models.Q(
                                        ("last_price__gt", 0),
                                        ("last_price__isnull", False),
                                        ("priced_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_price_has_its_time",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SecurityCode",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "security",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="codes", to="orders.security"
                            ),
                        ),
                        ("broker", models.CharField(max_length=12)),
                        ("segment", models.CharField(blank=True, max_length=12)),
                        ("code", models.CharField(max_length=30)),
                        ("refreshed_at", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("broker", "segment", "code"), name="a_broker_code_names_one_security"
                            ),
                            models.UniqueConstraint(
                                fields=("broker", "segment", "security"), name="one_code_per_broker_and_segment"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BasketLogo",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        ("content", models.BinaryField()),
                        ("added_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Basket",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(editable=False, max_length=20, unique=True)),
                        ("slug", models.SlugField(max_length=60, unique=True)),
                        ("name", models.CharField(max_length=60)),
                        ("rationale", models.TextField(max_length=4000, verbose_name="why these shares")),
                        (
                            "risk",
                            models.CharField(
                                choices=[("MODERATE", "Moderate"), ("HIGH", "High"), ("VERY_HIGH", "Very high")],
                                default="VERY_HIGH",
                                max_length=10,
                            ),
                        ),
                        ("benchmark", models.CharField(blank=True, max_length=60)),
                        (
                            "logo",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.basketlogo",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("DRAFT", "draft"), ("PUBLISHED", "published"), ("ARCHIVED", "archived")],
                                default="DRAFT",
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "created_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["name"],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="basket",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "orders_basketevent" ("benchmark", "code", "created_at", "created_by_id", "id", "logo_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rationale", "risk", "slug", "state", "state_since") VALUES (NEW."benchmark", NEW."code", NEW."created_at", NEW."created_by_id", NEW."id", NEW."logo_id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."rationale", NEW."risk", NEW."slug", NEW."state", NEW."state_since"); RETURN NULL;',
                            hash="cc4ed1ca7ffa37d6c6ac7b2c6665fec664391af6",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_6f3ae",
                            table="orders_basket",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="basket",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "orders_basketevent" ("benchmark", "code", "created_at", "created_by_id", "id", "logo_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rationale", "risk", "slug", "state", "state_since") VALUES (NEW."benchmark", NEW."code", NEW."created_at", NEW."created_by_id", NEW."id", NEW."logo_id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."rationale", NEW."risk", NEW."slug", NEW."state", NEW."state_since"); RETURN NULL;',
                            hash="4c99fcc722beed1d45666b2e14879a799124c256",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_86b66",
                            table="orders_basket",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="BasketEvent",
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
                                to="orders.basket",
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
                        ("code", models.CharField(editable=False, max_length=20)),
                        ("slug", models.SlugField(db_index=False, max_length=60)),
                        ("name", models.CharField(max_length=60)),
                        ("rationale", models.TextField(max_length=4000, verbose_name="why these shares")),
                        (
                            "risk",
                            models.CharField(
                                choices=[("MODERATE", "Moderate"), ("HIGH", "High"), ("VERY_HIGH", "Very high")],
                                default="VERY_HIGH",
                                max_length=10,
                            ),
                        ),
                        ("benchmark", models.CharField(blank=True, max_length=60)),
                        (
                            "logo",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.basketlogo",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("DRAFT", "draft"), ("PUBLISHED", "published"), ("ARCHIVED", "archived")],
                                default="DRAFT",
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "created_by",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="BasketChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "basket",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="orders.basket"
                            ),
                        ),
                        ("name", models.CharField(max_length=60)),
                        ("rationale", models.TextField(max_length=4000, verbose_name="why these shares")),
                        (
                            "risk",
                            models.CharField(
                                choices=[("MODERATE", "Moderate"), ("HIGH", "High"), ("VERY_HIGH", "Very high")],
                                max_length=10,
                            ),
                        ),
                        ("benchmark", models.CharField(blank=True, max_length=60)),
                        (
                            "logo",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.basketlogo",
                            ),
                        ),
                        ("why", models.CharField(max_length=300, verbose_name="why it changes")),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("WAITING", "waits for a second person"),
                                    ("APPROVED", "approved"),
                                    ("DECLINED", "declined"),
                                ],
                                default="WAITING",
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        (
                            "asked_by",
                            models.ForeignKey(
                                editable=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("asked_at", models.DateTimeField(editable=False)),
                        (
                            "decided_by",
                            models.ForeignKey(
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("decided_at", models.DateTimeField(editable=False, null=True)),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "WAITING")),
                                fields=("basket",),
                                name="one_waiting_change_per_basket",
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
                                name="a_decided_change_names_who_decided",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "APPROVED"), _negated=True),
                                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                                    _connector="OR",
                                ),
                                name="a_change_is_approved_by_a_second_person",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BasketVersion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "basket",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="orders.basket"
                            ),
                        ),
                        ("number", models.PositiveSmallIntegerField()),
                        ("change_note", models.CharField(max_length=1000, verbose_name="what changed and why")),
                        (
                            "drafted_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("drafted_at", models.DateTimeField()),
                        (
                            "published_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("published_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["-number"],
                        "constraints": [
                            models.UniqueConstraint(fields=("basket", "number"), name="one_basket_version_per_number"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("published_at__isnull", True), ("published_by__isnull", True)),
                                    models.Q(
                                        ("published_at__isnull", False),
                                        ("published_by__isnull", False),
                                        models.Q(("published_by", models.F("drafted_by")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_version_is_published_by_a_second_person",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BasketConstituent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="constituents",
                                to="orders.basketversion",
                            ),
                        ),
                        (
                            "security",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.security"
                            ),
                        ),
                        (
                            "weight_bp",
                            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="weight, 1/100 %"),
                        ),
                        ("quantity", models.PositiveIntegerField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("version", "security"), name="a_share_stands_once_in_a_version"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("quantity__isnull", True),
                                        ("weight_bp__gte", 1),
                                        ("weight_bp__isnull", False),
                                        ("weight_bp__lte", 10000),
                                    ),
                                    models.Q(
                                        ("quantity__gte", 1), ("quantity__isnull", False), ("weight_bp__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="a_constituent_has_a_weight_or_a_quantity",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BasketSubscription",
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
                            "basket",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="subscriptions",
                                to="orders.basket",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.basketversion"
                            ),
                        ),
                        ("since", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("told_of", models.PositiveSmallIntegerField(default=0, verbose_name="newest version told of")),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at__isnull", True)),
                                fields=("investor", "basket"),
                                name="one_live_subscription_per_basket",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Quote",
                    fields=[
                        ("quoted_at", models.DateTimeField(blank=True, null=True)),
                        ("asked_at", models.DateTimeField(blank=True, null=True)),
                        ("settled_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "trouble",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("no_session", "nobody is logged in at the broker"),
                                    ("no_code", "the broker lists no such share"),
                                    ("no_answer", "the broker did not answer"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "security",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="quote",
                                serialize=False,
                                to="orders.security",
                            ),
                        ),
                        (
                            "last",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="last price, rupees",
                            ),
                        ),
                        (
                            "previous_close",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="previous close, rupees",
                            ),
                        ),
                        (
                            "high",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="highest of the day, rupees",
                            ),
                        ),
                        (
                            "low",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="lowest of the day, rupees",
                            ),
                        ),
                        (
                            "year_high",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="highest of 52 weeks, rupees",
                            ),
                        ),
                        (
                            "year_low",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="lowest of 52 weeks, rupees",
                            ),
                        ),
                        (
                            "upper_circuit",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="upper circuit limit, rupees",
                            ),
                        ),
                        (
                            "lower_circuit",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="lower circuit limit, rupees",
                            ),
                        ),
                        ("volume", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="shares traded")),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("last__isnull", True), ("quoted_at__isnull", True)),
                                    models.Q(
                                        ("last__gt", Decimal("0")),
                                        ("last__isnull", False),
                                        ("quoted_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_quote_has_its_time",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Depth",
                    fields=[
                        ("quoted_at", models.DateTimeField(blank=True, null=True)),
                        ("asked_at", models.DateTimeField(blank=True, null=True)),
                        ("settled_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "trouble",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("no_session", "nobody is logged in at the broker"),
                                    ("no_code", "the broker lists no such share"),
                                    ("no_answer", "the broker did not answer"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "security",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="depth",
                                serialize=False,
                                to="orders.security",
                            ),
                        ),
                        ("bids", models.JSONField(default=list)),
                        ("asks", models.JSONField(default=list)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="WatchedShare",
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
                            "security",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orders.security"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField()),
                        ("added_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["position"],
                        "constraints": [
                            models.UniqueConstraint(fields=("investor", "security"), name="a_share_is_watched_once"),
                            models.UniqueConstraint(
                                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                                fields=("investor", "position"),
                                name="one_watched_share_per_place",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("position__gte", 1), ("position__lte", 50)),
                                name="a_watchlist_has_fifty_places",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BasketOrder",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "attempt",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "no open attempt"),
                                    ("OPEN", "being sent"),
                                    ("UNKNOWN", "outcome unknown"),
                                ],
                                default="",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("attempt_no", models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts")),
                        ("lease_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("unknown_since", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "looks",
                            models.PositiveIntegerField(
                                default=0, editable=False, verbose_name="looks since the last news"
                            ),
                        ),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "investor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="investors.investor",
                            ),
                        ),
                        ("code", models.CharField(editable=False, max_length=20, unique=True)),
                        ("client_ref", models.CharField(editable=False, max_length=40, unique=True)),
                        ("form_ref", models.CharField(editable=False, max_length=40, unique=True)),
                        ("broker", models.CharField(editable=False, max_length=12)),
                        ("broker_account_ref", models.CharField(blank=True, editable=False, max_length=80)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=80, null=True)),
                        (
                            "intent",
                            models.CharField(
                                choices=[
                                    ("BUY", "buy"),
                                    ("REBALANCE", "rebalance"),
                                    ("REPAIR", "repair"),
                                    ("EXIT", "sell everything"),
                                    ("SINGLE", "single share"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "basket",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="orders",
                                to="orders.basket",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.basketversion",
                            ),
                        ),
                        (
                            "repairs",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="repaired_by",
                                to="orders.basketorder",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "created"),
                                    ("HANDED_OVER", "with your broker"),
                                    ("PLACED", "placed"),
                                    ("COMPLETE", "complete"),
                                    ("CANCELLED", "cancelled"),
                                    ("EXPIRED", "expired"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("investor_says", models.CharField(blank=True, max_length=10)),
                        ("left_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "left_why",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("PRICE", "The price has moved"),
                                    ("MONEY", "I need the money elsewhere"),
                                    ("ELSEWHERE", "I have bought or sold it elsewhere"),
                                    ("ENOUGH", "What was executed is enough"),
                                ],
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        ("user_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("created_at", models.DateTimeField()),
                        ("handed_over_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("failure_code", models.CharField(blank=True, editable=False, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(
                                blank=True, editable=False, max_length=500, verbose_name="the broker's words"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="basketorder_due"
                            ),
                            models.Index(fields=["investor", "-id"], name="basketorder_of_investor"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("broker", "provider_ref"), name="one_basket_order_per_broker_reference"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("intent", "REPAIR"), _negated=True),
                                    ("repairs__isnull", False),
                                    _connector="OR",
                                ),
                                name="a_repair_names_what_it_repairs",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("left_at__isnull", True), ("left_why", "")),
                                    models.Q(("left_at__isnull", False), models.Q(("left_why", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="what_was_left_says_why",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("CANCELLED", "EXPIRED")), _negated=True),
                                fields=("repairs",),
                                name="one_live_repair_per_order",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("attempt", ""),
                                    ("state__in", ("CREATED", "HANDED_OVER", "PLACED")),
                                    _connector="OR",
                                ),
                                name="basketorder_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="basketorder",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "orders_basketorderevent" ("attempt", "attempt_no", "basket_id", "broker", "broker_account_ref", "client_ref", "code", "created_at", "due_at", "expires_at", "failure_code", "failure_text", "form_ref", "handed_over_at", "id", "intent", "investor_id", "investor_says", "lease_until", "left_at", "left_why", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_ref", "repairs_id", "state", "state_since", "unknown_since", "user_ip", "version_id") VALUES (NEW."attempt", NEW."attempt_no", NEW."basket_id", NEW."broker", NEW."broker_account_ref", NEW."client_ref", NEW."code", NEW."created_at", NEW."due_at", NEW."expires_at", NEW."failure_code", NEW."failure_text", NEW."form_ref", NEW."handed_over_at", NEW."id", NEW."intent", NEW."investor_id", NEW."investor_says", NEW."lease_until", NEW."left_at", NEW."left_why", NEW."looks", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."provider_ref", NEW."repairs_id", NEW."state", NEW."state_since", NEW."unknown_since", NEW."user_ip", NEW."version_id"); RETURN NULL;',
                            hash="2570b269a633d72a56a61cbb216096acdd1f88f2",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_6880a",
                            table="orders_basketorder",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="basketorder",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "orders_basketorderevent" ("attempt", "attempt_no", "basket_id", "broker", "broker_account_ref", "client_ref", "code", "created_at", "due_at", "expires_at", "failure_code", "failure_text", "form_ref", "handed_over_at", "id", "intent", "investor_id", "investor_says", "lease_until", "left_at", "left_why", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_ref", "repairs_id", "state", "state_since", "unknown_since", "user_ip", "version_id") VALUES (NEW."attempt", NEW."attempt_no", NEW."basket_id", NEW."broker", NEW."broker_account_ref", NEW."client_ref", NEW."code", NEW."created_at", NEW."due_at", NEW."expires_at", NEW."failure_code", NEW."failure_text", NEW."form_ref", NEW."handed_over_at", NEW."id", NEW."intent", NEW."investor_id", NEW."investor_says", NEW."lease_until", NEW."left_at", NEW."left_why", NEW."looks", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."provider_ref", NEW."repairs_id", NEW."state", NEW."state_since", NEW."unknown_since", NEW."user_ip", NEW."version_id"); RETURN NULL;',
                            hash="d57796538f0345e932dd6b6c8b8af1e2477d1405",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_b2eac",
                            table="orders_basketorder",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="BasketOrderEvent",
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
                                to="orders.basketorder",
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
                            "attempt",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "no open attempt"),
                                    ("OPEN", "being sent"),
                                    ("UNKNOWN", "outcome unknown"),
                                ],
                                default="",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("attempt_no", models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts")),
                        ("lease_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("unknown_since", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "looks",
                            models.PositiveIntegerField(
                                default=0, editable=False, verbose_name="looks since the last news"
                            ),
                        ),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                        ("client_ref", models.CharField(editable=False, max_length=40)),
                        ("form_ref", models.CharField(editable=False, max_length=40)),
                        ("broker", models.CharField(editable=False, max_length=12)),
                        ("broker_account_ref", models.CharField(blank=True, editable=False, max_length=80)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=80, null=True)),
                        (
                            "intent",
                            models.CharField(
                                choices=[
                                    ("BUY", "buy"),
                                    ("REBALANCE", "rebalance"),
                                    ("REPAIR", "repair"),
                                    ("EXIT", "sell everything"),
                                    ("SINGLE", "single share"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "basket",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.basket",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.basketversion",
                            ),
                        ),
                        (
                            "repairs",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.basketorder",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "created"),
                                    ("HANDED_OVER", "with your broker"),
                                    ("PLACED", "placed"),
                                    ("COMPLETE", "complete"),
                                    ("CANCELLED", "cancelled"),
                                    ("EXPIRED", "expired"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("investor_says", models.CharField(blank=True, max_length=10)),
                        ("left_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "left_why",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("PRICE", "The price has moved"),
                                    ("MONEY", "I need the money elsewhere"),
                                    ("ELSEWHERE", "I have bought or sold it elsewhere"),
                                    ("ENOUGH", "What was executed is enough"),
                                ],
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        ("user_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("created_at", models.DateTimeField()),
                        ("handed_over_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("failure_code", models.CharField(blank=True, editable=False, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(
                                blank=True, editable=False, max_length=500, verbose_name="the broker's words"
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="StockOrder",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "attempt",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "no open attempt"),
                                    ("OPEN", "being sent"),
                                    ("UNKNOWN", "outcome unknown"),
                                ],
                                default="",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("attempt_no", models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts")),
                        ("lease_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("unknown_since", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "looks",
                            models.PositiveIntegerField(
                                default=0, editable=False, verbose_name="looks since the last news"
                            ),
                        ),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "investor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="%(class)ss",
                                to="investors.investor",
                            ),
                        ),
                        ("code", models.CharField(editable=False, max_length=20, unique=True)),
                        ("client_ref", models.CharField(editable=False, max_length=40, unique=True)),
                        (
                            "basket_order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="lines",
                                to="orders.basketorder",
                            ),
                        ),
                        (
                            "security",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.security"
                            ),
                        ),
                        ("side", models.CharField(choices=[("BUY", "buy"), ("SELL", "sell")], max_length=4)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("MARKET", "market"),
                                    ("LIMIT", "limit"),
                                    ("STOP_LOSS", "stop-loss"),
                                    ("STOP_LOSS_MARKET", "stop-loss market"),
                                ],
                                default="MARKET",
                                max_length=16,
                            ),
                        ),
                        (
                            "product",
                            models.CharField(
                                choices=[("DELIVERY", "delivery"), ("INTRADAY", "intraday")],
                                default="DELIVERY",
                                max_length=8,
                            ),
                        ),
                        ("is_after_market", models.BooleanField(default=False, verbose_name="after-market order")),
                        ("is_immediate", models.BooleanField(default=False, verbose_name="immediate or cancel")),
                        ("quantity", models.PositiveIntegerField()),
                        (
                            "price",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="limit price, rupees",
                            ),
                        ),
                        (
                            "trigger",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="trigger price, rupees",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("PENDING", "waiting"),
                                    ("PLACED", "placed"),
                                    ("PARTLY_FILLED", "partly filled"),
                                    ("FILLED", "filled"),
                                    ("REJECTED", "rejected"),
                                    ("CANCELLED", "cancelled"),
                                ],
                                default="PENDING",
                                editable=False,
                                max_length=14,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "provider_ref",
                            models.CharField(
                                blank=True, editable=False, max_length=60, verbose_name="broker's order number"
                            ),
                        ),
                        (
                            "exchange_ref",
                            models.CharField(
                                blank=True, editable=False, max_length=60, verbose_name="exchange order number"
                            ),
                        ),
                        ("sequence", models.PositiveBigIntegerField(default=0, editable=False)),
                        ("filled", models.PositiveIntegerField(default=0, editable=False)),
                        (
                            "average_price",
                            models.DecimalField(blank=True, decimal_places=4, editable=False, max_digits=15, null=True),
                        ),
                        ("failure_code", models.CharField(blank=True, editable=False, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(
                                blank=True, editable=False, max_length=500, verbose_name="the broker's words"
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("placed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("final_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        "ordering": ["id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="stockorder_due"
                            ),
                            models.Index(fields=["investor", "-id"], name="stockorder_of_investor"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("basket_order", "security", "side"), name="a_share_stands_once_per_order"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("quantity__gte", 1)), name="a_stock_order_is_for_shares"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("filled__lte", models.F("quantity"))),
                                name="no_more_is_filled_than_was_asked",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("filled", 0),
                                    models.Q(("average_price__gt", Decimal("0")), ("average_price__isnull", False)),
                                    _connector="OR",
                                ),
                                name="what_is_filled_has_a_price",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "FILLED"), _negated=True),
                                    ("filled", models.F("quantity")),
                                    _connector="OR",
                                ),
                                name="filled_means_all_of_it",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind__in", ("LIMIT", "STOP_LOSS")), _negated=True),
                                    models.Q(("price__gt", Decimal("0")), ("price__isnull", False)),
                                    _connector="OR",
                                ),
                                name="a_limit_order_has_its_price",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind__startswith", "STOP"), _negated=True),
                                    models.Q(("trigger__gt", Decimal("0")), ("trigger__isnull", False)),
                                    _connector="OR",
                                ),
                                name="a_stop_loss_has_its_trigger",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("attempt", ""),
                                    ("state__in", ("PENDING", "PLACED", "PARTLY_FILLED")),
                                    _connector="OR",
                                ),
                                name="stockorder_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="stockorder",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "orders_stockorderevent" ("attempt", "attempt_no", "average_price", "basket_order_id", "client_ref", "code", "created_at", "due_at", "exchange_ref", "failure_code", "failure_text", "filled", "final_at", "id", "investor_id", "is_after_market", "is_immediate", "kind", "lease_until", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "placed_at", "price", "product", "provider_ref", "quantity", "security_id", "sequence", "side", "state", "state_since", "trigger", "unknown_since") VALUES (NEW."attempt", NEW."attempt_no", NEW."average_price", NEW."basket_order_id", NEW."client_ref", NEW."code", NEW."created_at", NEW."due_at", NEW."exchange_ref", NEW."failure_code", NEW."failure_text", NEW."filled", NEW."final_at", NEW."id", NEW."investor_id", NEW."is_after_market", NEW."is_immediate", NEW."kind", NEW."lease_until", NEW."looks", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."placed_at", NEW."price", NEW."product", NEW."provider_ref", NEW."quantity", NEW."security_id", NEW."sequence", NEW."side", NEW."state", NEW."state_since", NEW."trigger", NEW."unknown_since"); RETURN NULL;',
                            hash="3db84c05bd481c63edfe7ff4f5cd5c48eb9f01a8",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_e55b1",
                            table="orders_stockorder",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="stockorder",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "orders_stockorderevent" ("attempt", "attempt_no", "average_price", "basket_order_id", "client_ref", "code", "created_at", "due_at", "exchange_ref", "failure_code", "failure_text", "filled", "final_at", "id", "investor_id", "is_after_market", "is_immediate", "kind", "lease_until", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "placed_at", "price", "product", "provider_ref", "quantity", "security_id", "sequence", "side", "state", "state_since", "trigger", "unknown_since") VALUES (NEW."attempt", NEW."attempt_no", NEW."average_price", NEW."basket_order_id", NEW."client_ref", NEW."code", NEW."created_at", NEW."due_at", NEW."exchange_ref", NEW."failure_code", NEW."failure_text", NEW."filled", NEW."final_at", NEW."id", NEW."investor_id", NEW."is_after_market", NEW."is_immediate", NEW."kind", NEW."lease_until", NEW."looks", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."placed_at", NEW."price", NEW."product", NEW."provider_ref", NEW."quantity", NEW."security_id", NEW."sequence", NEW."side", NEW."state", NEW."state_since", NEW."trigger", NEW."unknown_since"); RETURN NULL;',
                            hash="9546d96a12acf02f741472997cc023a52ff4f517",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_73837",
                            table="orders_stockorder",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="StockOrderEvent",
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
                                to="orders.stockorder",
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
                            "attempt",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "no open attempt"),
                                    ("OPEN", "being sent"),
                                    ("UNKNOWN", "outcome unknown"),
                                ],
                                default="",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("attempt_no", models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts")),
                        ("lease_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("unknown_since", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "looks",
                            models.PositiveIntegerField(
                                default=0, editable=False, verbose_name="looks since the last news"
                            ),
                        ),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                        ("client_ref", models.CharField(editable=False, max_length=40)),
                        (
                            "basket_order",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.basketorder",
                            ),
                        ),
                        (
                            "security",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.security",
                            ),
                        ),
                        ("side", models.CharField(choices=[("BUY", "buy"), ("SELL", "sell")], max_length=4)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("MARKET", "market"),
                                    ("LIMIT", "limit"),
                                    ("STOP_LOSS", "stop-loss"),
                                    ("STOP_LOSS_MARKET", "stop-loss market"),
                                ],
                                default="MARKET",
                                max_length=16,
                            ),
                        ),
                        (
                            "product",
                            models.CharField(
                                choices=[("DELIVERY", "delivery"), ("INTRADAY", "intraday")],
                                default="DELIVERY",
                                max_length=8,
                            ),
                        ),
                        ("is_after_market", models.BooleanField(default=False, verbose_name="after-market order")),
                        ("is_immediate", models.BooleanField(default=False, verbose_name="immediate or cancel")),
                        ("quantity", models.PositiveIntegerField()),
                        (
                            "price",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="limit price, rupees",
                            ),
                        ),
                        (
                            "trigger",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="trigger price, rupees",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("PENDING", "waiting"),
                                    ("PLACED", "placed"),
                                    ("PARTLY_FILLED", "partly filled"),
                                    ("FILLED", "filled"),
                                    ("REJECTED", "rejected"),
                                    ("CANCELLED", "cancelled"),
                                ],
                                default="PENDING",
                                editable=False,
                                max_length=14,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "provider_ref",
                            models.CharField(
                                blank=True, editable=False, max_length=60, verbose_name="broker's order number"
                            ),
                        ),
                        (
                            "exchange_ref",
                            models.CharField(
                                blank=True, editable=False, max_length=60, verbose_name="exchange order number"
                            ),
                        ),
                        ("sequence", models.PositiveBigIntegerField(default=0, editable=False)),
                        ("filled", models.PositiveIntegerField(default=0, editable=False)),
                        (
                            "average_price",
                            models.DecimalField(blank=True, decimal_places=4, editable=False, max_digits=15, null=True),
                        ),
                        ("failure_code", models.CharField(blank=True, editable=False, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(
                                blank=True, editable=False, max_length=500, verbose_name="the broker's words"
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("placed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("final_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="StockHolding",
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
                        ("broker", models.CharField(max_length=12)),
                        ("account_ref", models.CharField(max_length=80)),
                        (
                            "security",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.security"
                            ),
                        ),
                        ("quantity", models.PositiveIntegerField()),
                        ("unsettled", models.PositiveIntegerField(default=0)),
                        ("average_price", models.DecimalField(blank=True, decimal_places=4, max_digits=15, null=True)),
                        ("reported_at", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("investor", "broker", "account_ref", "security"),
                                name="one_stock_holding_per_account_and_share",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StockChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "attempt",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "no open attempt"),
                                    ("OPEN", "being sent"),
                                    ("UNKNOWN", "outcome unknown"),
                                ],
                                default="",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("attempt_no", models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts")),
                        ("lease_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("unknown_since", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "looks",
                            models.PositiveIntegerField(
                                default=0, editable=False, verbose_name="looks since the last news"
                            ),
                        ),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                            "stock_order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="changes",
                                to="orders.stockorder",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(choices=[("MODIFY", "change"), ("CANCEL", "cancellation")], max_length=8),
                        ),
                        ("quantity", models.PositiveIntegerField(blank=True, null=True)),
                        (
                            "price",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="limit price, rupees",
                            ),
                        ),
                        (
                            "trigger",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="trigger price, rupees",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("SUBMITTING", "on its way"), ("DONE", "done"), ("FAILED", "not done")],
                                default="SUBMITTING",
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("form_ref", models.CharField(editable=False, max_length=40, unique=True)),
                        ("failure_code", models.CharField(blank=True, editable=False, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(
                                blank=True, editable=False, max_length=500, verbose_name="the broker's words"
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="stockchange_due"
                            ),
                            models.Index(fields=["investor", "-id"], name="stockchange_of_investor"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "SUBMITTING")),
                                fields=("stock_order",),
                                name="one_change_of_a_share_at_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("kind", "CANCEL"),
                                        ("price__isnull", True),
                                        ("quantity__isnull", True),
                                        ("trigger__isnull", True),
                                    ),
                                    models.Q(("kind", "MODIFY"), ("quantity__gte", 1)),
                                    _connector="OR",
                                ),
                                name="a_change_names_its_numbers",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("price__isnull", True), ("price__gt", Decimal("0")), _connector="OR"),
                                    models.Q(("trigger__isnull", True), ("trigger__gt", Decimal("0")), _connector="OR"),
                                ),
                                name="prices_of_a_change_are_prices",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("attempt", ""), ("state__in", ("SUBMITTING",)), _connector="OR"),
                                name="stockchange_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="stockchange",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "orders_stockchangeevent" ("attempt", "attempt_no", "code", "created_at", "due_at", "failure_code", "failure_text", "form_ref", "id", "investor_id", "kind", "lease_until", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "price", "quantity", "state", "state_since", "stock_order_id", "trigger", "unknown_since") VALUES (NEW."attempt", NEW."attempt_no", NEW."code", NEW."created_at", NEW."due_at", NEW."failure_code", NEW."failure_text", NEW."form_ref", NEW."id", NEW."investor_id", NEW."kind", NEW."lease_until", NEW."looks", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."price", NEW."quantity", NEW."state", NEW."state_since", NEW."stock_order_id", NEW."trigger", NEW."unknown_since"); RETURN NULL;',
                            hash="7cea8a995cb8d8c103046c80bd0c54993ce3416b",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_a86c4",
                            table="orders_stockchange",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="stockchange",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "orders_stockchangeevent" ("attempt", "attempt_no", "code", "created_at", "due_at", "failure_code", "failure_text", "form_ref", "id", "investor_id", "kind", "lease_until", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "price", "quantity", "state", "state_since", "stock_order_id", "trigger", "unknown_since") VALUES (NEW."attempt", NEW."attempt_no", NEW."code", NEW."created_at", NEW."due_at", NEW."failure_code", NEW."failure_text", NEW."form_ref", NEW."id", NEW."investor_id", NEW."kind", NEW."lease_until", NEW."looks", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."price", NEW."quantity", NEW."state", NEW."state_since", NEW."stock_order_id", NEW."trigger", NEW."unknown_since"); RETURN NULL;',
                            hash="b79e4c900585541cf92c1870a2515fda901ad05f",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_7d9da",
                            table="orders_stockchange",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="StockChangeEvent",
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
                                to="orders.stockchange",
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
                            "attempt",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "no open attempt"),
                                    ("OPEN", "being sent"),
                                    ("UNKNOWN", "outcome unknown"),
                                ],
                                default="",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("attempt_no", models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts")),
                        ("lease_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("unknown_since", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "looks",
                            models.PositiveIntegerField(
                                default=0, editable=False, verbose_name="looks since the last news"
                            ),
                        ),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                            "stock_order",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.stockorder",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(choices=[("MODIFY", "change"), ("CANCEL", "cancellation")], max_length=8),
                        ),
                        ("quantity", models.PositiveIntegerField(blank=True, null=True)),
                        (
                            "price",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="limit price, rupees",
                            ),
                        ),
                        (
                            "trigger",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="trigger price, rupees",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("SUBMITTING", "on its way"), ("DONE", "done"), ("FAILED", "not done")],
                                default="SUBMITTING",
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("form_ref", models.CharField(editable=False, max_length=40)),
                        ("failure_code", models.CharField(blank=True, editable=False, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(
                                blank=True, editable=False, max_length=500, verbose_name="the broker's words"
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
            ],
        ),
    ]
