"""When the registrar's record agreed with ours about an order."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0018_plan_guards"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="mforder",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="mforder",
            name="update_update",
        ),
        migrations.AddField(
            model_name="mforder",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="mforderevent",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
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
    ]
