"""What a firm asks of an investor ends when it no longer serves them, or was stopped (`portal/api/leaving.py`).

The database lets no firm ask whom it does not serve, and nothing of what it asked be taken up then.
"""

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

OWN = import_module("orders.migrations.0037_own_basket").OWN

# The rows of investor and firm are held until the request is there: a transfer, or a stop, comes before it, and it is not
# put down, or after it, and ends it. A taker holds the request itself, which a transfer wants to end. The scope of a
# firm's machine, and nobody else's, is `partner:<id>`.
SERVES = """
CREATE FUNCTION orders_firm_serves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before text := current_setting('portal.scope', true); serves boolean;
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM investors_investor i JOIN portal_partner p ON p.id = i.partner_id
          WHERE i.id = NEW.investor_id AND p.id = NEW.partner_id AND p.is_active
            AND (p.api_closed_at IS NULL OR before !~ '^partner:[0-9]+$') FOR SHARE;
        serves := FOUND;
    ELSE
        serves := EXISTS (
            SELECT FROM orders_approval a
              JOIN investors_investor i ON i.id = a.investor_id AND i.partner_id = a.partner_id
              JOIN portal_partner p ON p.id = a.partner_id
             WHERE a.id = NEW.approval_id AND a.ended_at IS NULL AND p.is_active);
    END IF;
    PERFORM set_config('portal.scope', before, false);
    IF NOT serves THEN
        RAISE EXCEPTION 'the firm no longer serves this investor: it asks nothing, and nothing it asked is taken up'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_firm_asks_whom_it_serves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_firm_asks_whom_it_serves BEFORE INSERT ON orders_approval
    FOR EACH ROW EXECUTE FUNCTION orders_firm_serves();
CREATE TRIGGER what_a_firm_asked_is_taken_up_while_it_serves
    BEFORE UPDATE OF cart_line_id, consent_id, change_id ON orders_approvalline FOR EACH ROW
    WHEN (NEW.cart_line_id IS NOT NULL AND NEW.cart_line_id IS DISTINCT FROM OLD.cart_line_id
          OR NEW.consent_id IS NOT NULL AND NEW.consent_id IS DISTINCT FROM OLD.consent_id
          OR NEW.change_id IS NOT NULL AND NEW.change_id IS DISTINCT FROM OLD.change_id)
    EXECUTE FUNCTION orders_firm_serves();
CREATE TRIGGER what_has_ended_stays_ended BEFORE UPDATE ON orders_approval FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND (OLD.ended_at, OLD.ended_why) IS DISTINCT FROM (NEW.ended_at, NEW.ended_why))
    EXECUTE FUNCTION orders_what_was_asked_never_changes();
"""
NOT_SERVES = """
DROP TRIGGER what_has_ended_stays_ended ON orders_approval;
DROP TRIGGER what_a_firm_asked_is_taken_up_while_it_serves ON orders_approvalline;
DROP TRIGGER a_firm_asks_whom_it_serves ON orders_approval;
DROP FUNCTION orders_firm_serves();
"""
# The partner hears of the end like of its own withdrawal.
REQUEST = """
CREATE OR REPLACE FUNCTION orders_tell_of_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM orders_tell_of_approval(NEW.id, NULL, 'asked', NEW.created_at);
    ELSIF OLD.seen_at IS NULL AND NEW.seen_at IS NOT NULL THEN
        PERFORM orders_tell_of_approval(NEW.id, NULL, 'seen', NEW.seen_at);
    ELSIF OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL THEN
        PERFORM orders_tell_of_approval(NEW.id, NULL, 'withdrawn', NEW.withdrawn_at);
    ENDED
    END IF;
    RETURN NULL;
END $$;
"""
WITH_END = REQUEST.replace(
    "    ENDED\n",
    "    ELSIF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL THEN\n"
    "        PERFORM orders_tell_of_approval(NEW.id, NULL, 'ended', NEW.ended_at);\n",
)
WITHOUT_END = REQUEST.replace("    ENDED\n", "")
HEARS = """
DROP TRIGGER partner_hears_of_its_request ON orders_approval;
CREATE TRIGGER partner_hears_of_its_request AFTER UPDATE OF {columns} ON orders_approval
    FOR EACH ROW EXECUTE FUNCTION orders_tell_of_request();
"""
WAS = "seen_at, withdrawn_at"
# A SIP that ends later is no answer to a request that is over.
LATER = OWN.replace("a.withdrawn_at IS NULL'", "coalesce(a.withdrawn_at, a.ended_at) IS NULL'")
# What stood open before this, although the firm had left or was stopped.
LEFT_OVER = """
UPDATE orders_approval a SET ended_at = now(), ended_why = CASE WHEN p.is_active THEN 'LEFT' ELSE 'STOPPED' END, due_at = NULL
  FROM investors_investor i, portal_partner p
 WHERE i.id = a.investor_id AND p.id = a.partner_id AND a.withdrawn_at IS NULL AND a.expires_at > now()
   AND (i.partner_id IS DISTINCT FROM a.partner_id OR NOT p.is_active);
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0038_rules_from_tomorrow"), ("investors", "0036_closed_consents")]

    operations = [
        migrations.AddField("approval", "ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddField(
            "approval",
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
        migrations.AddConstraint(
            "approval",
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="") | Q(ended_at__isnull=False) & ~Q(ended_why=""),
                name="an_approval_that_ended_says_why",
            ),
        ),
        migrations.RunSQL(SERVES, NOT_SERVES),
        migrations.RunSQL(WITH_END, WITHOUT_END),
        migrations.RunSQL(HEARS.format(columns=f"{WAS}, ended_at"), HEARS.format(columns=WAS)),
        migrations.RunSQL(LATER, OWN),
        migrations.RunSQL(LEFT_OVER, migrations.RunSQL.noop),
    ]
