"""The tables of schemes, folios and orders of mutual funds."""

from decimal import Decimal

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import portal.encryption
import portal.migrating


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("orders", "0001_initial"),
        ("orders", "0004_scheme_list"),
        ("orders", "0005_order_words"),
        ("orders", "0007_orders_whole"),
        ("orders", "0009_nav_by_day"),
        ("orders", "0012_redemptions"),
        ("orders", "0014_cart_lines"),
        ("orders", "0017_plans_whole"),
        ("orders", "0019_confirmed_at"),
        ("orders", "0029_approvals"),
        ("orders", "0030_who_asked"),
        ("orders", "0031_sip_notices"),
        ("orders", "0032_left_as_it_is"),
        ("orders", "0033_what_else_is_asked"),
        ("orders", "0034_dated_rules"),
        ("orders", "0036_plan_of_day"),
    ]
    dependencies = [("orders", "0001_stocks")]

    operations = [
        portal.migrating.CreateTables(
            operations=[
                migrations.CreateModel(
                    name="FundHouse",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120, unique=True)),
                        ("provider_ref", models.CharField(blank=True, max_length=60, null=True, unique=True)),
                        ("is_active", models.BooleanField(default=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="Scheme",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("isin", models.CharField(max_length=12, unique=True, verbose_name="ISIN")),
                        (
                            "amfi_code",
                            models.PositiveIntegerField(blank=True, db_index=True, null=True, verbose_name="AMFI code"),
                        ),
                        ("name", models.CharField(max_length=250)),
                        (
                            "fund_house",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="schemes",
                                to="orders.fundhouse",
                            ),
                        ),
                        (
                            "asset_class",
                            models.CharField(
                                choices=[
                                    ("EQUITY", "Equity"),
                                    ("DEBT", "Debt"),
                                    ("HYBRID", "Hybrid"),
                                    ("OTHER", "Other"),
                                ],
                                default="OTHER",
                                max_length=8,
                            ),
                        ),
                        ("category", models.CharField(blank=True, max_length=80)),
                        (
                            "plan",
                            models.CharField(
                                choices=[("REGULAR", "Regular"), ("DIRECT", "Direct")], default="REGULAR", max_length=8
                            ),
                        ),
                        (
                            "option",
                            models.CharField(
                                choices=[
                                    ("GROWTH", "Growth"),
                                    ("IDCW_PAYOUT", "IDCW payout"),
                                    ("IDCW_REINVESTMENT", "IDCW reinvestment"),
                                ],
                                default="GROWTH",
                                max_length=18,
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True)),
                        ("is_close_ended", models.BooleanField(default=False)),
                        ("purchase_allowed", models.BooleanField(default=False)),
                        ("redemption_allowed", models.BooleanField(default=False)),
                        ("sip_allowed", models.BooleanField(default=False, verbose_name="SIP allowed")),
                        ("switch_in_allowed", models.BooleanField(default=False)),
                        ("instant_redemption_allowed", models.BooleanField(default=False)),
                        ("lock_in_years", models.PositiveSmallIntegerField(blank=True, null=True)),
                        (
                            "min_first",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="minimum first purchase",
                            ),
                        ),
                        (
                            "max_first",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="maximum first purchase",
                            ),
                        ),
                        (
                            "step_first",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="first purchase in steps of",
                            ),
                        ),
                        (
                            "min_more",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="minimum further purchase",
                            ),
                        ),
                        (
                            "max_more",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="maximum further purchase",
                            ),
                        ),
                        (
                            "step_more",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="further purchase in steps of",
                            ),
                        ),
                        (
                            "min_sip",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="minimum SIP instalment",
                            ),
                        ),
                        (
                            "max_sip",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="maximum SIP instalment",
                            ),
                        ),
                        (
                            "step_sip",
                            models.DecimalField(
                                blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="SIP in steps of"
                            ),
                        ),
                        (
                            "min_sip_instalments",
                            models.PositiveSmallIntegerField(
                                blank=True, null=True, verbose_name="least instalments of a SIP"
                            ),
                        ),
                        ("sip_days", models.CharField(blank=True, max_length=120, verbose_name="SIP days")),
                        (
                            "min_redeem",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="minimum sale, rupees",
                            ),
                        ),
                        (
                            "max_redeem",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=15,
                                null=True,
                                verbose_name="maximum sale, rupees",
                            ),
                        ),
                        (
                            "step_redeem",
                            models.DecimalField(
                                blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="sale in steps of"
                            ),
                        ),
                        (
                            "min_redeem_units",
                            models.DecimalField(
                                blank=True, decimal_places=3, max_digits=18, null=True, verbose_name="minimum units"
                            ),
                        ),
                        (
                            "max_redeem_units",
                            models.DecimalField(
                                blank=True, decimal_places=3, max_digits=18, null=True, verbose_name="maximum units"
                            ),
                        ),
                        ("exit_load_note", models.CharField(blank=True, max_length=300)),
                        (
                            "nav",
                            models.DecimalField(
                                blank=True, decimal_places=4, max_digits=18, null=True, verbose_name="NAV"
                            ),
                        ),
                        ("nav_on", models.DateField(blank=True, null=True, verbose_name="NAV date")),
                        ("previous_nav", models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True)),
                        ("previous_nav_on", models.DateField(blank=True, null=True)),
                        ("synced_at", models.DateTimeField(blank=True, null=True, verbose_name="last changed by FP")),
                        ("search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                    ],
                    options={
                        "indexes": [
                            django.contrib.postgres.indexes.GinIndex(fields=["search"], name="scheme_search"),
                            models.Index(fields=["fund_house", "name"], name="scheme_by_fund_house"),
                            models.Index(fields=["category"], name="scheme_by_category"),
                            models.Index(
                                models.Case(
                                    models.When(option="GROWTH", then=0), default=1, output_field=models.IntegerField()
                                ),
                                django.db.models.functions.text.Lower("name"),
                                models.F("id"),
                                condition=models.Q(
                                    ("is_active", True),
                                    ("is_close_ended", False),
                                    ("plan", "REGULAR"),
                                    ("purchase_allowed", True),
                                ),
                                name="scheme_for_sale",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("nav__isnull", True), ("nav__gte", 0), _connector="OR"),
                                name="a_nav_is_not_negative",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SchemeWord",
                    fields=[
                        ("word", models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ("trigrams", models.JSONField(default=list)),
                        ("schemes", models.PositiveIntegerField(default=0, verbose_name="schemes that carry it")),
                    ],
                ),
                migrations.CreateModel(
                    name="Nav",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "amfi_code", "on", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("amfi_code", models.PositiveIntegerField()),
                        ("on", models.DateField()),
                        ("nav", models.DecimalField(decimal_places=4, max_digits=18)),
                    ],
                    options={
                        "verbose_name": "NAV",
                        "indexes": [
                            django.contrib.postgres.indexes.BrinIndex(
                                autosummarize=True, fields=["on"], name="nav_by_day", pages_per_range=16
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NavRun",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("source", models.CharField(max_length=200)),
                        ("fingerprint", models.CharField(max_length=64)),
                        ("started_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        ("lines", models.PositiveIntegerField(default=0)),
                        ("accepted", models.PositiveIntegerField(default=0)),
                        ("changed", models.PositiveIntegerField(default=0)),
                        ("unreadable", models.PositiveIntegerField(default=0)),
                        ("bad_lines", models.JSONField(default=list)),
                        ("newest_on", models.DateField(blank=True, null=True)),
                    ],
                    options={
                        "verbose_name": "NAV run",
                        "indexes": [models.Index(fields=["-started_at"], name="nav_run_newest_first")],
                    },
                ),
                migrations.CreateModel(
                    name="Holiday",
                    fields=[
                        ("on", models.DateField(primary_key=True, serialize=False)),
                        ("name", models.CharField(blank=True, max_length=120)),
                    ],
                    options={
                        "ordering": ["on"],
                    },
                ),
                migrations.CreateModel(
                    name="Folio",
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
                        ("number", models.CharField(max_length=40)),
                        (
                            "fund_house",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="folios",
                                to="orders.fundhouse",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("fund_house", "number"), name="a_folio_exists_once_per_fund_house"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Transaction",
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
                            "folio",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="transactions",
                                to="orders.folio",
                            ),
                        ),
                        (
                            "scheme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="transactions",
                                to="orders.scheme",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("PURCHASE", "purchase"),
                                    ("REDEMPTION", "redemption"),
                                    ("SWITCH_IN", "switch in"),
                                    ("SWITCH_OUT", "switch out"),
                                    ("REVERSAL", "reversal"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("units", models.DecimalField(decimal_places=3, max_digits=18)),
                        ("amount", models.DecimalField(decimal_places=2, max_digits=15)),
                        ("nav", models.DecimalField(decimal_places=4, max_digits=18, verbose_name="NAV")),
                        ("traded_on", models.DateField()),
                        (
                            "order",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="transactions",
                                to="orders.mforder",
                            ),
                        ),
                        (
                            "reverses",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="reversed_by",
                                to="orders.transaction",
                            ),
                        ),
                        ("is_provisional", models.BooleanField(default=True)),
                        ("recorded_at", models.DateTimeField()),
                    ],
                    options={
                        "indexes": [models.Index(fields=["investor", "traded_on"], name="transactions_of_investor")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("order", "kind"), name="an_order_moves_units_once_per_kind"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("amount__gt", 0), ("kind__in", ("PURCHASE", "SWITCH_IN")), ("units__gt", 0)
                                    ),
                                    models.Q(
                                        ("amount__lt", 0), ("kind__in", ("REDEMPTION", "SWITCH_OUT")), ("units__lt", 0)
                                    ),
                                    models.Q(
                                        ("amount__lt", 0),
                                        ("kind", "REVERSAL"),
                                        ("reverses__isnull", False),
                                        ("units__lt", 0),
                                    ),
                                    models.Q(
                                        ("amount__gt", 0),
                                        ("kind", "REVERSAL"),
                                        ("reverses__isnull", False),
                                        ("units__gt", 0),
                                    ),
                                    _connector="OR",
                                ),
                                name="units_and_rupees_move_in_the_direction_of_the_kind",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Holding",
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
                            "folio",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="holdings", to="orders.folio"
                            ),
                        ),
                        (
                            "scheme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="holdings", to="orders.scheme"
                            ),
                        ),
                        ("units", models.DecimalField(decimal_places=3, max_digits=18)),
                        ("invested", models.DecimalField(decimal_places=2, max_digits=15)),
                        ("first_bought_on", models.DateField()),
                        ("rebuilt_at", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("folio", "scheme"), name="one_holding_per_folio_and_scheme"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("units__gte", Decimal("0"))), name="units_held_are_never_negative"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Cart",
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
                            "consent",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="cart",
                                to="investors.consent",
                            ),
                        ),
                        (
                            "bank_account",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.bankaccount",
                            ),
                        ),
                        (
                            "mandate",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.mandate",
                            ),
                        ),
                        ("payment_method", models.CharField(blank=True, max_length=10)),
                        ("created_at", models.DateTimeField()),
                        ("confirmed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("confirmed_at__isnull", True)),
                                fields=("investor",),
                                name="one_open_cart_per_investor",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("confirmed_at__isnull", True), ("consent__isnull", False), _connector="OR"
                                ),
                                name="a_confirmed_cart_has_a_consent",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CartLine",
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
                            "cart",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="orders.cart"
                            ),
                        ),
                        (
                            "scheme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.scheme"
                            ),
                        ),
                        (
                            "folio",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.folio",
                            ),
                        ),
                        ("amount", models.DecimalField(decimal_places=2, max_digits=15, verbose_name="amount, rupees")),
                        ("added_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("cart", "scheme", "folio"),
                                name="a_scheme_stands_once_per_folio_in_a_cart",
                                nulls_distinct=False,
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("amount__gt", Decimal("0"))),
                                name="a_cart_line_is_for_a_positive_amount",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Plan",
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
                        ("provider", models.CharField(default="fp", editable=False, max_length=20)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("gateway", models.CharField(default="RTA", editable=False, max_length=4)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "created"),
                                    ("SUBMITTING", "being sent"),
                                    ("ACTIVE", "active"),
                                    ("COMPLETED", "completed"),
                                    ("CANCELLED", "cancelled"),
                                    ("FAILED", "not accepted"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "scheme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="plans", to="orders.scheme"
                            ),
                        ),
                        (
                            "folio",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="plans",
                                to="orders.folio",
                            ),
                        ),
                        (
                            "investment_account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.investmentaccount",
                            ),
                        ),
                        (
                            "mandate",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="plans",
                                to="investors.mandate",
                            ),
                        ),
                        (
                            "consent",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT, related_name="plan", to="investors.consent"
                            ),
                        ),
                        (
                            "amount",
                            models.DecimalField(decimal_places=2, max_digits=15, verbose_name="amount a month, rupees"),
                        ),
                        ("start_day", models.PositiveSmallIntegerField(verbose_name="day of the month")),
                        ("instalments", models.PositiveSmallIntegerField()),
                        ("euin", models.CharField(blank=True, max_length=7, verbose_name="EUIN")),
                        ("user_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("placed_at", models.DateTimeField()),
                        ("first_on", models.DateField(verbose_name="first instalment")),
                        ("last_on", models.DateField(verbose_name="last instalment")),
                        ("bounces_in_a_row", models.PositiveSmallIntegerField(default=0, editable=False)),
                        ("failure_code", models.CharField(blank=True, editable=False, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(
                                blank=True, editable=False, max_length=500, verbose_name="the provider's words"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "SIP",
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="plan_due"
                            ),
                            models.Index(fields=["investor", "-id"], name="plan_of_investor"),
                            models.Index(
                                condition=models.Q(("state", "ACTIVE")),
                                fields=["start_day", "id"],
                                include=("investor", "amount", "first_on", "last_on"),
                                name="plan_of_day",
                            ),
                            models.Index(
                                condition=models.Q(("state", "ACTIVE")), fields=["mandate"], name="plan_of_mandate"
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("provider", "provider_ref"), name="one_plan_per_provider_plan"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("amount__gt", Decimal("0"))), name="a_plan_is_for_a_positive_amount"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("start_day__gte", 1), ("start_day__lte", 31)),
                                name="a_plan_starts_on_a_day",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("instalments__gte", 1), ("instalments__lte", 1200)),
                                name="a_plan_has_1_to_1200_instalments",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state__in", ("CREATED", "SUBMITTING", "CANCELLED", "FAILED")),
                                    ("provider_ref__isnull", False),
                                    _connector="OR",
                                ),
                                name="an_active_plan_is_known_to_the_provider",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("last_on__gte", models.F("first_on"))),
                                name="a_plan_ends_after_it_begins",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("attempt", ""), ("state__in", ("SUBMITTING",)), _connector="OR"),
                                name="plan_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="plan",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "orders_planevent" ("amount", "attempt", "attempt_no", "bounces_in_a_row", "client_ref", "code", "consent_id", "due_at", "euin", "failure_code", "failure_text", "first_on", "folio_id", "gateway", "id", "instalments", "investment_account_id", "investor_id", "last_on", "lease_until", "looks", "mandate_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "placed_at", "provider", "provider_ref", "scheme_id", "start_day", "state", "state_since", "unknown_since", "user_ip") VALUES (NEW."amount", NEW."attempt", NEW."attempt_no", NEW."bounces_in_a_row", NEW."client_ref", NEW."code", NEW."consent_id", NEW."due_at", NEW."euin", NEW."failure_code", NEW."failure_text", NEW."first_on", NEW."folio_id", NEW."gateway", NEW."id", NEW."instalments", NEW."investment_account_id", NEW."investor_id", NEW."last_on", NEW."lease_until", NEW."looks", NEW."mandate_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."placed_at", NEW."provider", NEW."provider_ref", NEW."scheme_id", NEW."start_day", NEW."state", NEW."state_since", NEW."unknown_since", NEW."user_ip"); RETURN NULL;',
                            hash="2cf4e5c1d5e68c8b234e458fbe17177f0831e9eb",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_95032",
                            table="orders_plan",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="plan",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "orders_planevent" ("amount", "attempt", "attempt_no", "bounces_in_a_row", "client_ref", "code", "consent_id", "due_at", "euin", "failure_code", "failure_text", "first_on", "folio_id", "gateway", "id", "instalments", "investment_account_id", "investor_id", "last_on", "lease_until", "looks", "mandate_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "placed_at", "provider", "provider_ref", "scheme_id", "start_day", "state", "state_since", "unknown_since", "user_ip") VALUES (NEW."amount", NEW."attempt", NEW."attempt_no", NEW."bounces_in_a_row", NEW."client_ref", NEW."code", NEW."consent_id", NEW."due_at", NEW."euin", NEW."failure_code", NEW."failure_text", NEW."first_on", NEW."folio_id", NEW."gateway", NEW."id", NEW."instalments", NEW."investment_account_id", NEW."investor_id", NEW."last_on", NEW."lease_until", NEW."looks", NEW."mandate_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."placed_at", NEW."provider", NEW."provider_ref", NEW."scheme_id", NEW."start_day", NEW."state", NEW."state_since", NEW."unknown_since", NEW."user_ip"); RETURN NULL;',
                            hash="5902f4faf94ac35eb409be6cee2a7e0d8f54cdb9",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_5cfde",
                            table="orders_plan",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="PlanEvent",
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
                                to="orders.plan",
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
                        ("provider", models.CharField(default="fp", editable=False, max_length=20)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("gateway", models.CharField(default="RTA", editable=False, max_length=4)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "created"),
                                    ("SUBMITTING", "being sent"),
                                    ("ACTIVE", "active"),
                                    ("COMPLETED", "completed"),
                                    ("CANCELLED", "cancelled"),
                                    ("FAILED", "not accepted"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "scheme",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.scheme",
                            ),
                        ),
                        (
                            "folio",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.folio",
                            ),
                        ),
                        (
                            "investment_account",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.investmentaccount",
                            ),
                        ),
                        (
                            "mandate",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.mandate",
                            ),
                        ),
                        (
                            "consent",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.consent",
                            ),
                        ),
                        (
                            "amount",
                            models.DecimalField(decimal_places=2, max_digits=15, verbose_name="amount a month, rupees"),
                        ),
                        ("start_day", models.PositiveSmallIntegerField(verbose_name="day of the month")),
                        ("instalments", models.PositiveSmallIntegerField()),
                        ("euin", models.CharField(blank=True, max_length=7, verbose_name="EUIN")),
                        ("user_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("placed_at", models.DateTimeField()),
                        ("first_on", models.DateField(verbose_name="first instalment")),
                        ("last_on", models.DateField(verbose_name="last instalment")),
                        ("bounces_in_a_row", models.PositiveSmallIntegerField(default=0, editable=False)),
                        ("failure_code", models.CharField(blank=True, editable=False, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(
                                blank=True, editable=False, max_length=500, verbose_name="the provider's words"
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Instalment",
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
                            "plan",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="instalment_rows",
                                to="orders.plan",
                            ),
                        ),
                        ("on", models.DateField(verbose_name="instalment of")),
                        ("amount", models.DecimalField(decimal_places=2, max_digits=15, verbose_name="rupees")),
                        ("expected_at", models.DateTimeField()),
                        ("told_at", models.DateTimeField(blank=True, null=True, verbose_name="told")),
                        (
                            "order",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="instalment",
                                to="orders.mforder",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "SIP instalment",
                        "ordering": ["-on", "-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("told_at__isnull", True)),
                                fields=["on", "id"],
                                name="instalment_to_tell",
                            ),
                            models.Index(
                                condition=models.Q(("order__isnull", True)),
                                fields=["on", "id"],
                                name="instalment_to_come",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("plan", "on"), name="one_instalment_per_plan_and_date"),
                            models.CheckConstraint(
                                condition=models.Q(("amount__gt", Decimal("0"))),
                                name="an_instalment_is_for_a_positive_amount",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PlanChange",
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
                            "plan",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="orders.plan"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("SKIP", "skip an instalment"),
                                    ("MANDATE", "debit by another mandate"),
                                    ("CANCEL", "end the SIP"),
                                ],
                                max_length=8,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "asked for"),
                                    ("SUBMITTING", "being sent"),
                                    ("DONE", "done"),
                                    ("FAILED", "not done"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("on", models.DateField(blank=True, editable=False, null=True)),
                        (
                            "mandate",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.mandate",
                            ),
                        ),
                        (
                            "consent",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.consent",
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        (
                            "why_not",
                            models.CharField(
                                blank=True, editable=False, max_length=300, verbose_name="why it was not done"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "change of a SIP",
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="planchange_due"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind", "SKIP"), _negated=True), ("on__isnull", False), _connector="OR"
                                ),
                                name="a_skip_names_the_date_it_leaves_out",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind", "MANDATE"), _negated=True),
                                    models.Q(("consent__isnull", False), ("mandate__isnull", False)),
                                    _connector="OR",
                                ),
                                name="a_change_of_mandate_names_it_and_the_yes_to_it",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("CREATED", "SUBMITTING"))),
                                fields=("plan", "kind"),
                                name="one_open_change_of_a_kind_per_plan",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "SKIP"), models.Q(("state", "FAILED"), _negated=True)),
                                fields=("plan", "on"),
                                name="a_date_is_skipped_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("attempt", ""), ("state__in", ("SUBMITTING",)), _connector="OR"),
                                name="planchange_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="planchange",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "orders_planchangeevent" ("asked_at", "attempt", "attempt_no", "code", "consent_id", "due_at", "id", "investor_id", "kind", "lease_until", "looks", "mandate_id", "on", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "state", "state_since", "unknown_since", "why_not") VALUES (NEW."asked_at", NEW."attempt", NEW."attempt_no", NEW."code", NEW."consent_id", NEW."due_at", NEW."id", NEW."investor_id", NEW."kind", NEW."lease_until", NEW."looks", NEW."mandate_id", NEW."on", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."plan_id", NEW."state", NEW."state_since", NEW."unknown_since", NEW."why_not"); RETURN NULL;',
                            hash="7b70fb6112419e800e320c51c387ab4fae89460f",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_5efe6",
                            table="orders_planchange",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="planchange",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "orders_planchangeevent" ("asked_at", "attempt", "attempt_no", "code", "consent_id", "due_at", "id", "investor_id", "kind", "lease_until", "looks", "mandate_id", "on", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_id", "state", "state_since", "unknown_since", "why_not") VALUES (NEW."asked_at", NEW."attempt", NEW."attempt_no", NEW."code", NEW."consent_id", NEW."due_at", NEW."id", NEW."investor_id", NEW."kind", NEW."lease_until", NEW."looks", NEW."mandate_id", NEW."on", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."plan_id", NEW."state", NEW."state_since", NEW."unknown_since", NEW."why_not"); RETURN NULL;',
                            hash="8d370cb27ca693fd02a67ed2eec6423e4b3892fe",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_4fa2c",
                            table="orders_planchange",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="PlanChangeEvent",
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
                                to="orders.planchange",
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
                            "plan",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.plan",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("SKIP", "skip an instalment"),
                                    ("MANDATE", "debit by another mandate"),
                                    ("CANCEL", "end the SIP"),
                                ],
                                max_length=8,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "asked for"),
                                    ("SUBMITTING", "being sent"),
                                    ("DONE", "done"),
                                    ("FAILED", "not done"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("on", models.DateField(blank=True, editable=False, null=True)),
                        (
                            "mandate",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.mandate",
                            ),
                        ),
                        (
                            "consent",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.consent",
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        (
                            "why_not",
                            models.CharField(
                                blank=True, editable=False, max_length=300, verbose_name="why it was not done"
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Approval",
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
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="approvals",
                                to="portal.partner",
                            ),
                        ),
                        ("asked_by", models.CharField(max_length=120)),
                        ("asked_by_arn", models.CharField(blank=True, max_length=20)),
                        ("reason", models.CharField(max_length=300)),
                        ("reference", models.CharField(blank=True, max_length=64)),
                        ("created_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField()),
                        ("reminded_at", models.DateTimeField(blank=True, null=True)),
                        ("times_told", models.PositiveSmallIntegerField(default=0)),
                        ("seen_at", models.DateTimeField(blank=True, null=True)),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                        ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "ended_why",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("LEFT", "the firm no longer looks after the investor"),
                                    ("STOPPED", "the firm no longer works with us"),
                                    ("CLOSED", "the connection by which the firm asked was closed"),
                                ],
                                db_default="",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["partner", "-id"], name="approvals_of_partner"),
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)),
                                fields=["due_at"],
                                name="approvals_run_out",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("expires_at__gt", models.F("created_at"))),
                                name="an_approval_lasts_for_a_while",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("reason", ""), _negated=True), name="an_approval_says_why"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("asked_by", ""), _negated=True), name="an_approval_says_who_asks"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at__isnull", True), ("ended_why", "")),
                                    models.Q(("ended_at__isnull", False), models.Q(("ended_why", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="an_approval_that_ended_says_why",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ApprovalLine",
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
                            "approval",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="orders.approval"
                            ),
                        ),
                        ("number", models.PositiveSmallIntegerField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("PURCHASE", "buy"),
                                    ("REDEMPTION", "sell"),
                                    ("SIP", "start a SIP"),
                                    ("SIP_SKIP", "skip an instalment"),
                                    ("SIP_CANCEL", "end a SIP"),
                                    ("MANDATE", "give a mandate"),
                                    ("BANK_ACCOUNT", "add a bank account"),
                                    ("BASKET", "invest in a basket"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("form_ref", models.CharField(editable=False, max_length=40, unique=True)),
                        (
                            "scheme",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.scheme",
                            ),
                        ),
                        ("folio_number", models.CharField(blank=True, max_length=40)),
                        (
                            "amount",
                            models.DecimalField(
                                blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="amount, rupees"
                            ),
                        ),
                        ("units", models.DecimalField(blank=True, decimal_places=3, max_digits=18, null=True)),
                        ("is_all", models.BooleanField(default=False)),
                        (
                            "start_day",
                            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="day of the month"),
                        ),
                        ("instalments", models.PositiveSmallIntegerField(blank=True, null=True)),
                        (
                            "mandate",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.mandate",
                            ),
                        ),
                        (
                            "plan",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.plan",
                            ),
                        ),
                        ("on", models.DateField(blank=True, null=True)),
                        (
                            "bank_account",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.bankaccount",
                            ),
                        ),
                        ("account", portal.encryption.EncryptedTextField(blank=True)),
                        ("last_four", models.CharField(blank=True, max_length=4)),
                        (
                            "basket",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.basket",
                            ),
                        ),
                        (
                            "consent",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.consent",
                            ),
                        ),
                        (
                            "cart_line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="orders.cartline",
                            ),
                        ),
                        (
                            "change",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="orders.planchange",
                            ),
                        ),
                        ("declined_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["number"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("approval", "number"), name="lines_of_an_approval_are_numbered"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("amount__isnull", True), ("amount__gt", Decimal("0")), _connector="OR"
                                ),
                                name="an_approval_asks_for_rupees",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("amount__isnull", False), ("kind", "PURCHASE"), ("scheme__isnull", False)
                                    ),
                                    models.Q(
                                        ("kind", "REDEMPTION"),
                                        ("scheme__isnull", False),
                                        models.Q(("folio_number", ""), _negated=True),
                                    ),
                                    models.Q(
                                        ("amount__isnull", False),
                                        ("instalments__isnull", False),
                                        ("kind", "SIP"),
                                        ("mandate__isnull", False),
                                        ("scheme__isnull", False),
                                        ("start_day__isnull", False),
                                    ),
                                    models.Q(("kind", "SIP_SKIP"), ("on__isnull", False), ("plan__isnull", False)),
                                    models.Q(("kind", "SIP_CANCEL"), ("plan__isnull", False)),
                                    models.Q(
                                        ("amount__isnull", False), ("bank_account__isnull", False), ("kind", "MANDATE")
                                    ),
                                    models.Q(("kind", "BANK_ACCOUNT"), models.Q(("last_four", ""), _negated=True)),
                                    models.Q(("amount__isnull", False), ("basket__isnull", False), ("kind", "BASKET")),
                                    _connector="OR",
                                ),
                                name="an_approval_line_names_what_it_asks_for",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DatedRule",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "name",
                            models.CharField(
                                choices=[
                                    ("purchase_cutoff", "Purchase: SEBI's cut-off"),
                                    ("previous_day_nav", "Purchase: NAV of the day before"),
                                    ("nav_lag", "NAV comes later than others"),
                                    ("payment_cutoff", "Payment: the platform's cut-off"),
                                    ("payment_cutoff_liquid", "Payment: the platform's cut-off, NAV of the day before"),
                                    ("payment_days", "Payment: until the fund house has the money"),
                                    ("payment_limit", "Payment: most a day"),
                                    ("sale_cutoff", "Sale: cut-off"),
                                    ("payout_days", "Sale: money in the bank"),
                                    ("sip_failures", "SIP: failures in a row that end it"),
                                    ("sip_end_days", "SIP: until the fund house has ended it"),
                                ],
                                max_length=30,
                                verbose_name="rule",
                            ),
                        ),
                        ("of", models.CharField(blank=True, max_length=80, verbose_name="of")),
                        ("valid_from", models.DateField(verbose_name="holds from")),
                        ("value", models.CharField(max_length=20)),
                        ("words", models.CharField(blank=True, max_length=85, verbose_name="words for investors")),
                        ("source", models.CharField(max_length=300)),
                    ],
                    options={
                        "verbose_name": "cut-off or limit",
                        "verbose_name_plural": "cut-offs and limits",
                        "ordering": ["name", "of", "-valid_from"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("name", "of", "valid_from"), name="one_dated_rule_on_a_day"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        (
                                            "name__in",
                                            [
                                                "purchase_cutoff",
                                                "payment_cutoff",
                                                "payment_cutoff_liquid",
                                                "sale_cutoff",
                                            ],
                                        ),
                                        ("value__regex", "^([01][0-9]|2[0-3]):[0-5][0-9]$"),
                                    ),
                                    models.Q(
                                        ("name__in", ["nav_lag", "payment_days", "payout_days", "sip_end_days"]),
                                        ("value__regex", "^[0-9]{1,2}$"),
                                    ),
                                    models.Q(("name__in", ["sip_failures"]), ("value__regex", "^[1-9]$")),
                                    models.Q(("name__in", ["payment_limit"]), ("value__regex", "^[1-9][0-9]{0,11}$")),
                                    models.Q(("name__in", ["previous_day_nav"]), ("value__regex", "^(yes|no)$")),
                                    _connector="OR",
                                ),
                                name="a_dated_rule_is_written_in_its_unit",
                                violation_error_message="The value is not written in the unit of this rule.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("source", ""), _negated=True), name="a_dated_rule_has_a_source"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("name__in", ["payment_days", "payout_days"]), _negated=True),
                                    ("value", "0"),
                                    models.Q(("words", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="a_dated_rule_that_investors_read_has_words",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MfOrder",
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
                        ("provider", models.CharField(default="fp", editable=False, max_length=20)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("gateway", models.CharField(default="RTA", editable=False, max_length=4)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("PURCHASE", "Purchase"),
                                    ("REDEMPTION", "Redemption"),
                                    ("SWITCH_IN", "Switch in"),
                                    ("SWITCH_OUT", "Switch out"),
                                ],
                                default="PURCHASE",
                                max_length=12,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "created"),
                                    ("SUBMITTING", "being sent"),
                                    ("AWAITING_PAYMENT", "awaiting payment"),
                                    ("PAID", "paid"),
                                    ("PLACED", "with the fund house"),
                                    ("ALLOTTED", "units allotted"),
                                    ("REDEEMED", "units redeemed"),
                                    ("REJECTED", "rejected"),
                                    ("EXPIRED", "expired"),
                                    ("CANCELLED", "cancelled"),
                                    ("REVERSED", "reversed"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=18,
                            ),
                        ),
                        ("state_since", models.DateTimeField()),
                        (
                            "scheme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="orders.scheme"
                            ),
                        ),
                        (
                            "folio",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="orders",
                                to="orders.folio",
                            ),
                        ),
                        (
                            "investment_account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.investmentaccount",
                            ),
                        ),
                        (
                            "bank_account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.bankaccount",
                            ),
                        ),
                        (
                            "consent",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="order",
                                to="investors.consent",
                            ),
                        ),
                        (
                            "cart",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="orders",
                                to="orders.cart",
                            ),
                        ),
                        (
                            "cart_line",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="order",
                                to="orders.cartline",
                            ),
                        ),
                        (
                            "plan",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="orders",
                                to="orders.plan",
                            ),
                        ),
                        ("instalment_on", models.DateField(blank=True, editable=False, null=True)),
                        (
                            "amount",
                            models.DecimalField(
                                blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="amount, rupees"
                            ),
                        ),
                        (
                            "units",
                            models.DecimalField(
                                blank=True, decimal_places=3, max_digits=18, null=True, verbose_name="units asked for"
                            ),
                        ),
                        ("is_all", models.BooleanField(default=False, verbose_name="all units")),
                        (
                            "redemption_mode",
                            models.CharField(
                                blank=True, choices=[("NORMAL", "Normal"), ("INSTANT", "Instant")], max_length=8
                            ),
                        ),
                        (
                            "redeemed_as",
                            models.CharField(
                                blank=True,
                                choices=[("NORMAL", "Normal"), ("INSTANT", "Instant")],
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("payout_by", models.DateField(blank=True, editable=False, null=True)),
                        (
                            "payment_method",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("NETBANKING", "Net banking"),
                                    ("UPI", "UPI"),
                                    ("CARD", "Debit card"),
                                    ("NACH", "Mandate"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "mandate",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="orders",
                                to="investors.mandate",
                            ),
                        ),
                        ("euin", models.CharField(blank=True, max_length=7, verbose_name="EUIN")),
                        (
                            "is_execution_only",
                            models.BooleanField(default=True, editable=False, verbose_name="declared execution only"),
                        ),
                        ("server_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("user_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("placed_at", models.DateTimeField()),
                        ("predicted_nav_on", models.DateField()),
                        ("prediction", models.CharField(max_length=300)),
                        ("allotted_units", models.DecimalField(blank=True, decimal_places=3, max_digits=18, null=True)),
                        ("allotted_nav", models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True)),
                        (
                            "allotted_amount",
                            models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True),
                        ),
                        ("allotted_on", models.DateField(blank=True, null=True)),
                        ("confirmed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("failure_code", models.CharField(blank=True, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(blank=True, max_length=500, verbose_name="the provider's words"),
                        ),
                    ],
                    options={
                        "verbose_name": "order",
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="mforder_due"
                            ),
                            models.Index(fields=["investor", "-id"], name="mforder_of_investor"),
                            models.Index(
                                condition=models.Q(
                                    ("state__in", ("CREATED", "SUBMITTING", "AWAITING_PAYMENT", "PAID", "PLACED"))
                                ),
                                fields=["state", "state_since"],
                                name="mforder_open",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("provider", "provider_ref"), name="one_order_per_provider_order"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("amount__isnull", True), ("amount__gt", Decimal("0")), _connector="OR"
                                ),
                                name="an_order_is_for_a_positive_amount",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("amount__isnull", False), ("is_all", False), ("units__isnull", True)),
                                    models.Q(
                                        models.Q(("kind", "PURCHASE"), _negated=True),
                                        ("amount__isnull", True),
                                        ("is_all", False),
                                        ("units__gt", 0),
                                        ("units__isnull", False),
                                    ),
                                    models.Q(
                                        models.Q(("kind", "PURCHASE"), _negated=True),
                                        ("amount__isnull", True),
                                        ("is_all", True),
                                        ("units__isnull", True),
                                    ),
                                    _connector="OR",
                                ),
                                name="an_order_asks_for_rupees_or_units_or_everything",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("cart__isnull", True), ("consent__isnull", False), ("plan__isnull", True)
                                    ),
                                    models.Q(
                                        ("cart__isnull", False), ("consent__isnull", True), ("plan__isnull", True)
                                    ),
                                    models.Q(
                                        ("cart__isnull", True),
                                        ("consent__isnull", True),
                                        ("instalment_on__isnull", False),
                                        ("plan__isnull", False),
                                    ),
                                    models.Q(
                                        ("cart__isnull", True),
                                        ("consent__isnull", True),
                                        ("kind__startswith", "SWITCH"),
                                        ("plan__isnull", True),
                                    ),
                                    _connector="OR",
                                ),
                                name="an_order_has_exactly_one_authority",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("cart__isnull", True), ("cart_line__isnull", True)),
                                    models.Q(("cart__isnull", False), ("cart_line__isnull", False)),
                                    _connector="OR",
                                ),
                                name="an_order_of_a_cart_is_one_of_its_lines",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("euin", ""), ("is_execution_only", True)),
                                    models.Q(models.Q(("euin", ""), _negated=True), ("is_execution_only", False)),
                                    _connector="OR",
                                ),
                                name="an_order_names_an_euin_or_is_execution_only",
                            ),
                            models.UniqueConstraint(fields=("plan", "instalment_on"), name="one_order_per_instalment"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind", "REDEMPTION"), _negated=True),
                                    models.Q(
                                        ("folio__isnull", False), models.Q(("redemption_mode", ""), _negated=True)
                                    ),
                                    _connector="OR",
                                ),
                                name="a_redemption_names_its_folio_and_mode",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "REDEEMED"), _negated=True),
                                    models.Q(
                                        ("allotted_amount__gt", 0),
                                        ("allotted_amount__isnull", False),
                                        ("allotted_nav__gt", 0),
                                        ("allotted_nav__isnull", False),
                                        ("allotted_on__isnull", False),
                                        ("allotted_units__gt", 0),
                                        ("allotted_units__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_redeemed_order_has_units_nav_day_and_rupees",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("payment_method", "NACH"),
                                    ("mandate__isnull", True),
                                    ("plan__isnull", False),
                                    _connector="OR",
                                ),
                                name="a_mandate_goes_with_payment_by_mandate",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "ALLOTTED"), _negated=True),
                                    models.Q(
                                        ("allotted_nav__gt", 0),
                                        ("allotted_nav__isnull", False),
                                        ("allotted_on__isnull", False),
                                        ("allotted_units__gt", 0),
                                        ("allotted_units__isnull", False),
                                        ("folio__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="an_allotted_order_has_units_nav_day_and_folio",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state__in", ["CREATED", "SUBMITTING", "REJECTED", "CANCELLED"]),
                                    ("provider_ref__isnull", False),
                                    _connector="OR",
                                ),
                                name="an_order_beyond_submitting_is_known_to_the_provider",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("attempt", ""), ("state__in", ("SUBMITTING",)), _connector="OR"),
                                name="mforder_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="mforder",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "orders_mforderevent" ("allotted_amount", "allotted_nav", "allotted_on", "allotted_units", "amount", "attempt", "attempt_no", "bank_account_id", "cart_id", "cart_line_id", "client_ref", "code", "confirmed_at", "consent_id", "due_at", "euin", "failure_code", "failure_text", "folio_id", "gateway", "id", "instalment_on", "investment_account_id", "investor_id", "is_all", "is_execution_only", "kind", "lease_until", "looks", "mandate_id", "payment_method", "payout_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "placed_at", "plan_id", "predicted_nav_on", "prediction", "provider", "provider_ref", "redeemed_as", "redemption_mode", "scheme_id", "server_ip", "state", "state_since", "units", "unknown_since", "user_ip") VALUES (NEW."allotted_amount", NEW."allotted_nav", NEW."allotted_on", NEW."allotted_units", NEW."amount", NEW."attempt", NEW."attempt_no", NEW."bank_account_id", NEW."cart_id", NEW."cart_line_id", NEW."client_ref", NEW."code", NEW."confirmed_at", NEW."consent_id", NEW."due_at", NEW."euin", NEW."failure_code", NEW."failure_text", NEW."folio_id", NEW."gateway", NEW."id", NEW."instalment_on", NEW."investment_account_id", NEW."investor_id", NEW."is_all", NEW."is_execution_only", NEW."kind", NEW."lease_until", NEW."looks", NEW."mandate_id", NEW."payment_method", NEW."payout_by", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."placed_at", NEW."plan_id", NEW."predicted_nav_on", NEW."prediction", NEW."provider", NEW."provider_ref", NEW."redeemed_as", NEW."redemption_mode", NEW."scheme_id", NEW."server_ip", NEW."state", NEW."state_since", NEW."units", NEW."unknown_since", NEW."user_ip"); RETURN NULL;',
                            hash="3e45636b71d9fa889eaa8a2b5e60509a924326b5",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_45aae",
                            table="orders_mforder",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="mforder",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "orders_mforderevent" ("allotted_amount", "allotted_nav", "allotted_on", "allotted_units", "amount", "attempt", "attempt_no", "bank_account_id", "cart_id", "cart_line_id", "client_ref", "code", "confirmed_at", "consent_id", "due_at", "euin", "failure_code", "failure_text", "folio_id", "gateway", "id", "instalment_on", "investment_account_id", "investor_id", "is_all", "is_execution_only", "kind", "lease_until", "looks", "mandate_id", "payment_method", "payout_by", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "placed_at", "plan_id", "predicted_nav_on", "prediction", "provider", "provider_ref", "redeemed_as", "redemption_mode", "scheme_id", "server_ip", "state", "state_since", "units", "unknown_since", "user_ip") VALUES (NEW."allotted_amount", NEW."allotted_nav", NEW."allotted_on", NEW."allotted_units", NEW."amount", NEW."attempt", NEW."attempt_no", NEW."bank_account_id", NEW."cart_id", NEW."cart_line_id", NEW."client_ref", NEW."code", NEW."confirmed_at", NEW."consent_id", NEW."due_at", NEW."euin", NEW."failure_code", NEW."failure_text", NEW."folio_id", NEW."gateway", NEW."id", NEW."instalment_on", NEW."investment_account_id", NEW."investor_id", NEW."is_all", NEW."is_execution_only", NEW."kind", NEW."lease_until", NEW."looks", NEW."mandate_id", NEW."payment_method", NEW."payout_by", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."placed_at", NEW."plan_id", NEW."predicted_nav_on", NEW."prediction", NEW."provider", NEW."provider_ref", NEW."redeemed_as", NEW."redemption_mode", NEW."scheme_id", NEW."server_ip", NEW."state", NEW."state_since", NEW."units", NEW."unknown_since", NEW."user_ip"); RETURN NULL;',
                            hash="8a8996a37ce3f25a5e073249e77f6783c9feff26",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_27faa",
                            table="orders_mforder",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="MfOrderEvent",
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
                                to="orders.mforder",
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
                        ("provider", models.CharField(default="fp", editable=False, max_length=20)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("gateway", models.CharField(default="RTA", editable=False, max_length=4)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("PURCHASE", "Purchase"),
                                    ("REDEMPTION", "Redemption"),
                                    ("SWITCH_IN", "Switch in"),
                                    ("SWITCH_OUT", "Switch out"),
                                ],
                                default="PURCHASE",
                                max_length=12,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "created"),
                                    ("SUBMITTING", "being sent"),
                                    ("AWAITING_PAYMENT", "awaiting payment"),
                                    ("PAID", "paid"),
                                    ("PLACED", "with the fund house"),
                                    ("ALLOTTED", "units allotted"),
                                    ("REDEEMED", "units redeemed"),
                                    ("REJECTED", "rejected"),
                                    ("EXPIRED", "expired"),
                                    ("CANCELLED", "cancelled"),
                                    ("REVERSED", "reversed"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=18,
                            ),
                        ),
                        ("state_since", models.DateTimeField()),
                        (
                            "scheme",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.scheme",
                            ),
                        ),
                        (
                            "folio",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.folio",
                            ),
                        ),
                        (
                            "investment_account",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.investmentaccount",
                            ),
                        ),
                        (
                            "bank_account",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.bankaccount",
                            ),
                        ),
                        (
                            "consent",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.consent",
                            ),
                        ),
                        (
                            "cart",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.cart",
                            ),
                        ),
                        (
                            "cart_line",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.cartline",
                            ),
                        ),
                        (
                            "plan",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="orders.plan",
                            ),
                        ),
                        ("instalment_on", models.DateField(blank=True, editable=False, null=True)),
                        (
                            "amount",
                            models.DecimalField(
                                blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="amount, rupees"
                            ),
                        ),
                        (
                            "units",
                            models.DecimalField(
                                blank=True, decimal_places=3, max_digits=18, null=True, verbose_name="units asked for"
                            ),
                        ),
                        ("is_all", models.BooleanField(default=False, verbose_name="all units")),
                        (
                            "redemption_mode",
                            models.CharField(
                                blank=True, choices=[("NORMAL", "Normal"), ("INSTANT", "Instant")], max_length=8
                            ),
                        ),
                        (
                            "redeemed_as",
                            models.CharField(
                                blank=True,
                                choices=[("NORMAL", "Normal"), ("INSTANT", "Instant")],
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("payout_by", models.DateField(blank=True, editable=False, null=True)),
                        (
                            "payment_method",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("NETBANKING", "Net banking"),
                                    ("UPI", "UPI"),
                                    ("CARD", "Debit card"),
                                    ("NACH", "Mandate"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "mandate",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.mandate",
                            ),
                        ),
                        ("euin", models.CharField(blank=True, max_length=7, verbose_name="EUIN")),
                        (
                            "is_execution_only",
                            models.BooleanField(default=True, editable=False, verbose_name="declared execution only"),
                        ),
                        ("server_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("user_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("placed_at", models.DateTimeField()),
                        ("predicted_nav_on", models.DateField()),
                        ("prediction", models.CharField(max_length=300)),
                        ("allotted_units", models.DecimalField(blank=True, decimal_places=3, max_digits=18, null=True)),
                        ("allotted_nav", models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True)),
                        (
                            "allotted_amount",
                            models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True),
                        ),
                        ("allotted_on", models.DateField(blank=True, null=True)),
                        ("confirmed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("failure_code", models.CharField(blank=True, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(blank=True, max_length=500, verbose_name="the provider's words"),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
            ],
        ),
    ]
