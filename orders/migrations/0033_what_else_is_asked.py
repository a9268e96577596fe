# What a partner may ask besides orders: a mandate, a new bank account, a basket.

import django.db.models.deletion
from django.db import migrations, models

import portal.encryption

FORGETTING = (
    "coalesce(current_setting('portal.rotating', true), '') = 'on'"
    " OR coalesce(current_setting('portal.erasing', true), '') = 'on'"
)
ASKED = (
    "approval_id",
    "investor_id",
    "number",
    "kind",
    "scheme_id",
    "folio_number",
    "amount",
    "units",
    "is_all",
    "start_day",
    "instalments",
    "mandate_id",
    "plan_id",
    '"on"',
)
MORE = ("bank_account_id", "last_four", "basket_id")


def fixed(*columns, also=""):
    """The trigger over these columns; `also` is another reason to refuse."""
    old, new = (", ".join(f"{side}.{name}" for name in columns) for side in ("OLD", "NEW"))
    return f"""
        CREATE TRIGGER what_a_partner_asked_for_never_changes BEFORE UPDATE ON orders_approvalline FOR EACH ROW
            WHEN (({old}) IS DISTINCT FROM ({new}){also})
            EXECUTE FUNCTION orders_what_was_asked_never_changes();
    """


UNFIXED = "DROP TRIGGER what_a_partner_asked_for_never_changes ON orders_approvalline;"
# The account is encrypted: it is written anew under new keys, and emptied when somebody is forgotten.
ACCOUNT = f" OR OLD.account IS DISTINCT FROM NEW.account AND NOT ({FORGETTING})"


class Migration(migrations.Migration):
    dependencies = [
        ("investors", "0027_unsent_invites"),
        ("orders", "0032_left_as_it_is"),
    ]

    operations = [
        # The type of a column that a trigger reads cannot be changed.
        migrations.RunSQL(UNFIXED, fixed(*ASKED)),
        migrations.RemoveConstraint(
            model_name="approvalline",
            name="an_approval_line_names_what_it_asks_for",
        ),
        migrations.AddField(
            model_name="approvalline",
            name="account",
            field=portal.encryption.EncryptedTextField(blank=True),
        ),
        migrations.AddField(
            model_name="approvalline",
            name="bank_account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="investors.bankaccount",
            ),
        ),
        migrations.AddField(
            model_name="approvalline",
            name="basket",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.basket"
            ),
        ),
        migrations.AddField(
            model_name="approvalline",
            name="last_four",
            field=models.CharField(blank=True, max_length=4),
        ),
        migrations.AlterField(
            model_name="approvalline",
            name="kind",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="approvalline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__isnull", False), ("kind", "PURCHASE"), ("scheme__isnull", False)),
                    models.Q(
                        ("kind", "REDEMPTION"), ("scheme__isnull", False), models.Q(("folio_number", ""), _negated=True)
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
                    models.Q(("amount__isnull", False), ("bank_account__isnull", False), ("kind", "MANDATE")),
                    models.Q(("kind", "BANK_ACCOUNT"), models.Q(("last_four", ""), _negated=True)),
                    models.Q(("amount__isnull", False), ("basket__isnull", False), ("kind", "BASKET")),
                    _connector="OR",
                ),
                name="an_approval_line_names_what_it_asks_for",
            ),
        ),
        migrations.RunSQL(fixed(*ASKED, *MORE, also=ACCOUNT), UNFIXED),
    ]
