"""The tables of payments."""

from decimal import Decimal

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import portal.encryption
import portal.migrating


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("payments", "0001_initial"),
        ("payments", "0003_open_payments"),
        ("payments", "0004_methods"),
        ("payments", "0005_cart_lines"),
        ("payments", "0009_failed_debits"),
    ]
    dependencies = [("orders", "0007_walls")]

    operations = [
        portal.migrating.CreateTables(
            operations=[
                migrations.CreateModel(
                    name="Payment",
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
                        ("nonce", models.CharField(editable=False, max_length=40, unique=True)),
                        ("provider", models.CharField(default="fp", editable=False, max_length=20)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("gateway", models.CharField(default="RTA", editable=False, max_length=4)),
                        (
                            "method",
                            models.CharField(
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
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "created"),
                                    ("STARTING", "being started"),
                                    ("AWAITING_INVESTOR", "waiting for the investor"),
                                    ("AWAITING_BANK", "waiting for the bank's debit"),
                                    ("DEBITED", "debited"),
                                    ("TRANSFERRED", "on its way to the fund house"),
                                    ("SETTLED", "with the fund house"),
                                    ("FAILED", "failed"),
                                    ("EXPIRED", "expired"),
                                    ("LATE", "collected after all"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=18,
                            ),
                        ),
                        ("state_since", models.DateTimeField()),
                        ("amount", models.DecimalField(decimal_places=2, max_digits=15, verbose_name="amount, rupees")),
                        ("token_url", portal.encryption.EncryptedTextField(blank=True, editable=False)),
                        ("page_html", portal.encryption.EncryptedTextField(blank=True, editable=False)),
                        ("token_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "handed_over_at",
                            models.DateTimeField(
                                blank=True, editable=False, null=True, verbose_name="investor sent to the bank's page"
                            ),
                        ),
                        (
                            "debit_on",
                            models.DateField(
                                blank=True, editable=False, null=True, verbose_name="day of the debit by mandate"
                            ),
                        ),
                        ("debited_at", models.DateTimeField(blank=True, null=True)),
                        ("transferred_at", models.DateTimeField(blank=True, null=True)),
                        ("settled_at", models.DateTimeField(blank=True, null=True)),
                        ("failure_code", models.CharField(blank=True, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(blank=True, max_length=500, verbose_name="the provider's words"),
                        ),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="payment_due"
                            ),
                            models.Index(fields=["investor", "-id"], name="payment_of_investor"),
                            models.Index(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        (
                                            "CREATED",
                                            "STARTING",
                                            "AWAITING_INVESTOR",
                                            "AWAITING_BANK",
                                            "DEBITED",
                                            "TRANSFERRED",
                                        ),
                                    )
                                ),
                                fields=["state", "state_since"],
                                name="payment_open",
                            ),
                            models.Index(
                                condition=models.Q(("method", "NACH"), ("state", "FAILED")),
                                fields=["state_since"],
                                name="payment_not_debited",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("provider", "provider_ref"), name="one_payment_per_provider_payment"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("amount__gt", Decimal("0"))),
                                name="a_payment_is_for_a_positive_amount",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state__in", ["CREATED", "STARTING", "FAILED"]),
                                    ("provider_ref__isnull", False),
                                    _connector="OR",
                                ),
                                name="a_payment_beyond_starting_is_known_to_the_provider",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("attempt", ""), ("state__in", ("STARTING",)), _connector="OR"),
                                name="payment_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="payment",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "payments_paymentevent" ("amount", "attempt", "attempt_no", "code", "created_at", "debit_on", "debited_at", "due_at", "failure_code", "failure_text", "gateway", "handed_over_at", "id", "investor_id", "lease_until", "looks", "method", "nonce", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "provider_ref", "settled_at", "state", "state_since", "token_expires_at", "transferred_at", "unknown_since") VALUES (NEW."amount", NEW."attempt", NEW."attempt_no", NEW."code", NEW."created_at", NEW."debit_on", NEW."debited_at", NEW."due_at", NEW."failure_code", NEW."failure_text", NEW."gateway", NEW."handed_over_at", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", NEW."method", NEW."nonce", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."provider", NEW."provider_ref", NEW."settled_at", NEW."state", NEW."state_since", NEW."token_expires_at", NEW."transferred_at", NEW."unknown_since"); RETURN NULL;',
                            hash="19db84bdfed28bffea87efb639ce3939e5675505",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_24a65",
                            table="payments_payment",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="payment",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."attempt" IS DISTINCT FROM (NEW."attempt") OR OLD."attempt_no" IS DISTINCT FROM (NEW."attempt_no") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."debit_on" IS DISTINCT FROM (NEW."debit_on") OR OLD."debited_at" IS DISTINCT FROM (NEW."debited_at") OR OLD."due_at" IS DISTINCT FROM (NEW."due_at") OR OLD."failure_code" IS DISTINCT FROM (NEW."failure_code") OR OLD."failure_text" IS DISTINCT FROM (NEW."failure_text") OR OLD."gateway" IS DISTINCT FROM (NEW."gateway") OR OLD."handed_over_at" IS DISTINCT FROM (NEW."handed_over_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."investor_id" IS DISTINCT FROM (NEW."investor_id") OR OLD."lease_until" IS DISTINCT FROM (NEW."lease_until") OR OLD."looks" IS DISTINCT FROM (NEW."looks") OR OLD."method" IS DISTINCT FROM (NEW."method") OR OLD."nonce" IS DISTINCT FROM (NEW."nonce") OR OLD."provider" IS DISTINCT FROM (NEW."provider") OR OLD."provider_ref" IS DISTINCT FROM (NEW."provider_ref") OR OLD."settled_at" IS DISTINCT FROM (NEW."settled_at") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."state_since" IS DISTINCT FROM (NEW."state_since") OR OLD."token_expires_at" IS DISTINCT FROM (NEW."token_expires_at") OR OLD."transferred_at" IS DISTINCT FROM (NEW."transferred_at") OR OLD."unknown_since" IS DISTINCT FROM (NEW."unknown_since"))',
                            func='INSERT INTO "payments_paymentevent" ("amount", "attempt", "attempt_no", "code", "created_at", "debit_on", "debited_at", "due_at", "failure_code", "failure_text", "gateway", "handed_over_at", "id", "investor_id", "lease_until", "looks", "method", "nonce", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider", "provider_ref", "settled_at", "state", "state_since", "token_expires_at", "transferred_at", "unknown_since") VALUES (NEW."amount", NEW."attempt", NEW."attempt_no", NEW."code", NEW."created_at", NEW."debit_on", NEW."debited_at", NEW."due_at", NEW."failure_code", NEW."failure_text", NEW."gateway", NEW."handed_over_at", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", NEW."method", NEW."nonce", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."provider", NEW."provider_ref", NEW."settled_at", NEW."state", NEW."state_since", NEW."token_expires_at", NEW."transferred_at", NEW."unknown_since"); RETURN NULL;',
                            hash="f7379a3dab20db5e42809824fcf6111e5020b7f2",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_dd546",
                            table="payments_payment",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="PaymentEvent",
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
                                to="payments.payment",
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
                        ("nonce", models.CharField(editable=False, max_length=40)),
                        ("provider", models.CharField(default="fp", editable=False, max_length=20)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("gateway", models.CharField(default="RTA", editable=False, max_length=4)),
                        (
                            "method",
                            models.CharField(
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
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "created"),
                                    ("STARTING", "being started"),
                                    ("AWAITING_INVESTOR", "waiting for the investor"),
                                    ("AWAITING_BANK", "waiting for the bank's debit"),
                                    ("DEBITED", "debited"),
                                    ("TRANSFERRED", "on its way to the fund house"),
                                    ("SETTLED", "with the fund house"),
                                    ("FAILED", "failed"),
                                    ("EXPIRED", "expired"),
                                    ("LATE", "collected after all"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=18,
                            ),
                        ),
                        ("state_since", models.DateTimeField()),
                        ("amount", models.DecimalField(decimal_places=2, max_digits=15, verbose_name="amount, rupees")),
                        ("token_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "handed_over_at",
                            models.DateTimeField(
                                blank=True, editable=False, null=True, verbose_name="investor sent to the bank's page"
                            ),
                        ),
                        (
                            "debit_on",
                            models.DateField(
                                blank=True, editable=False, null=True, verbose_name="day of the debit by mandate"
                            ),
                        ),
                        ("debited_at", models.DateTimeField(blank=True, null=True)),
                        ("transferred_at", models.DateTimeField(blank=True, null=True)),
                        ("settled_at", models.DateTimeField(blank=True, null=True)),
                        ("failure_code", models.CharField(blank=True, max_length=60)),
                        (
                            "failure_text",
                            models.CharField(blank=True, max_length=500, verbose_name="the provider's words"),
                        ),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="PaymentLine",
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
                            "payment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="payments.payment"
                            ),
                        ),
                        (
                            "order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="payment_lines",
                                to="orders.mforder",
                            ),
                        ),
                        ("amount", models.DecimalField(decimal_places=2, max_digits=15, verbose_name="amount, rupees")),
                        ("is_live", models.BooleanField(default=True, editable=False)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("payment", "order"), name="an_order_stands_once_in_a_payment"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("is_live", True)),
                                fields=("order",),
                                name="an_order_has_one_live_payment",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("amount__gt", Decimal("0"))), name="a_payment_line_is_positive"
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]
