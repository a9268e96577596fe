from django.db import migrations, models
from django.db.models import Q

# Who asked belongs to what never changes, like the reason.
NAMED = """
UPDATE orders_approval SET asked_by = p.name, asked_by_arn = p.arn FROM portal_partner p WHERE p.id = partner_id;
"""
TRIGGER = """
DROP TRIGGER why_a_partner_asked_never_changes ON orders_approval;
CREATE TRIGGER why_a_partner_asked_never_changes BEFORE UPDATE ON orders_approval FOR EACH ROW
    WHEN (({old}) IS DISTINCT FROM ({new}))
    EXECUTE FUNCTION orders_what_was_asked_never_changes();
"""


def fixed(*columns: str) -> str:
    """The trigger over these columns."""
    return TRIGGER.format(**{side: ", ".join(f"{side.upper()}.{name}" for name in columns) for side in ("old", "new")})


BEFORE = ("partner_id", "investor_id", "reason", "created_at", "expires_at")


class Migration(migrations.Migration):
    dependencies = [("orders", "0029_approvals")]

    operations = [
        migrations.AddField(
            "approval", "asked_by", models.CharField(max_length=120, default=""), preserve_default=False
        ),
        migrations.AddField(
            "approval", "asked_by_arn", models.CharField(blank=True, max_length=20, default=""), preserve_default=False
        ),
        migrations.RunSQL(NAMED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "approval", models.CheckConstraint(condition=~Q(asked_by=""), name="an_approval_says_who_asks")
        ),
        migrations.RunSQL(fixed(*BEFORE, "asked_by", "asked_by_arn"), fixed(*BEFORE)),
    ]
