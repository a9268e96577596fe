"""What fund houses pay, what is expected of them, and what is handed on: tables, guards and walls."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.scope import policies_sql, without_policies_sql

GUARDS = """
CREATE TRIGGER a_commission_rate_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON orders_commissionrate
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('orders.commissionrate');
CREATE TRIGGER a_share_changes_by_a_proposal BEFORE INSERT OR UPDATE OR DELETE ON orders_commissionshare
    FOR EACH ROW EXECUTE FUNCTION portal_changes_by_proposal('orders.commissionshare');

-- A statement is a fact. It can be withdrawn once, as long as nothing of it was handed on, and takes its lines with it.
CREATE FUNCTION orders_statement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.withdrawn_at IS NOT NULL
        OR to_jsonb(OLD) - '{withdrawn_at,withdrawn_by_id,withdrawn_why}'::text[]
           <> to_jsonb(NEW) - '{withdrawn_at,withdrawn_by_id,withdrawn_why}'::text[]
    THEN
        RAISE EXCEPTION 'a commission statement stays as it was entered'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_statement_stays_as_it_was_entered';
    END IF;
    -- No payout takes a line of it between this look and the commit: `orders_payout_line_steps` waits for this row.
    IF NEW.withdrawn_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM orders_payoutline p JOIN orders_commissionline l ON l.id = p.line_id
         WHERE l.statement_id = NEW.id AND p.counts)
    THEN
        RAISE EXCEPTION 'a line of this statement is in a payout'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'what_was_handed_on_is_not_withdrawn';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_statement_stays_as_it_was_entered BEFORE UPDATE OR DELETE ON orders_commissionstatement
    FOR EACH ROW EXECUTE FUNCTION orders_statement_stays();
CREATE FUNCTION orders_statement_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders_commissionline SET why_not = 'Its statement was withdrawn.' WHERE statement_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER a_withdrawn_statement_takes_its_lines AFTER UPDATE OF withdrawn_at ON orders_commissionstatement
    FOR EACH ROW WHEN (NEW.withdrawn_at IS NOT NULL) EXECUTE FUNCTION orders_statement_goes();

-- What stood in the file never changes. What could not be matched is matched once; a matched line stays matched as long
-- as its statement stands, and never changes while it is in a payout.
CREATE FUNCTION orders_commission_line_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_withdrawn boolean;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT withdrawn_at IS NOT NULL INTO is_withdrawn FROM orders_commissionstatement WHERE id = NEW.statement_id;
        IF to_jsonb(OLD) - '{fund_house_id,folio_id,scheme_id,partner_id,why_not}'::text[]
            = to_jsonb(NEW) - '{fund_house_id,folio_id,scheme_id,partner_id,why_not}'::text[]
            AND (is_withdrawn AND NEW.why_not <> '' OR NOT is_withdrawn AND OLD.why_not <> '')
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a line of a commission statement stays as it was read'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_commission_line_stays_as_it_was_read';
END $$;
CREATE TRIGGER a_commission_line_stays_as_it_was_read BEFORE UPDATE OR DELETE ON orders_commissionline
    FOR EACH ROW EXECUTE FUNCTION orders_commission_line_stays();

-- A payout is asked for, decided by somebody else, and paid; what it says is the sum of its lines.
CREATE FUNCTION orders_payout_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_lines record;
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state = 'ASKED' THEN
        RETURN NEW;
    END IF;
    IF TG_OP <> 'UPDATE'
        OR (OLD.state, NEW.state) NOT IN (('ASKED', 'APPROVED'), ('ASKED', 'WITHDRAWN'), ('APPROVED', 'PAID'))
        OR (OLD.code, OLD.partner_id, OLD.month, OLD.received, OLD.payable, OLD.asked_by_id, OLD.asked_at)
           IS DISTINCT FROM
           (NEW.code, NEW.partner_id, NEW.month, NEW.received, NEW.payable, NEW.asked_by_id, NEW.asked_at)
        OR OLD.state = 'APPROVED' AND (OLD.decided_by_id, OLD.decided_at, OLD.answer)
           IS DISTINCT FROM (NEW.decided_by_id, NEW.decided_at, NEW.answer)
    THEN
        RAISE EXCEPTION 'a payout is asked for, decided and paid, each once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_payout_is_decided_and_paid_once';
    END IF;
    IF NEW.state = 'APPROVED' THEN
        SELECT coalesce(sum(l.amount), 0) AS received, coalesce(sum(p.payable), 0) AS payable,
               bool_and(l.why_not = '' AND l.partner_id = NEW.partner_id AND l.month <= NEW.month) AS is_theirs
          INTO of_lines FROM orders_payoutline p JOIN orders_commissionline l ON l.id = p.line_id
         WHERE p.payout_id = NEW.id AND p.counts;
        IF (of_lines.received, of_lines.payable) IS DISTINCT FROM (NEW.received, NEW.payable)
            OR of_lines.is_theirs IS NOT TRUE
        THEN
            RAISE EXCEPTION 'a payout is the sum of lines of its partner'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'a_payout_is_the_sum_of_its_lines';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_payout_is_decided_and_paid_once BEFORE INSERT OR UPDATE OR DELETE ON orders_payout
    FOR EACH ROW EXECUTE FUNCTION orders_payout_steps();
CREATE FUNCTION orders_payout_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders_payoutline SET counts = false WHERE payout_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER a_withdrawn_payout_frees_its_lines AFTER UPDATE OF state ON orders_payout
    FOR EACH ROW WHEN (NEW.state = 'WITHDRAWN') EXECUTE FUNCTION orders_payout_goes();

CREATE FUNCTION orders_payout_line_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_open boolean;
    stands boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT state = 'ASKED' INTO is_open FROM orders_payout WHERE id = NEW.payout_id FOR SHARE;
        SELECT s.withdrawn_at IS NULL AND l.why_not = '' INTO stands
          FROM orders_commissionline l JOIN orders_commissionstatement s ON s.id = l.statement_id
         WHERE l.id = NEW.line_id FOR SHARE OF s;
        IF is_open AND stands AND NEW.counts THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT state = 'WITHDRAWN' INTO is_open FROM orders_payout WHERE id = NEW.payout_id;
        IF is_open AND NOT NEW.counts AND to_jsonb(OLD) - 'counts' = to_jsonb(NEW) - 'counts' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a line is put into an open payout and stays in it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_payout_keeps_its_lines';
END $$;
CREATE TRIGGER a_payout_keeps_its_lines BEFORE INSERT OR UPDATE OR DELETE ON orders_payoutline
    FOR EACH ROW EXECUTE FUNCTION orders_payout_line_steps();
"""
NO_GUARDS = """
DROP TRIGGER a_payout_keeps_its_lines ON orders_payoutline;
DROP FUNCTION orders_payout_line_steps();
DROP TRIGGER a_withdrawn_payout_frees_its_lines ON orders_payout;
DROP FUNCTION orders_payout_goes();
DROP TRIGGER a_payout_is_decided_and_paid_once ON orders_payout;
DROP FUNCTION orders_payout_steps();
DROP TRIGGER a_commission_line_stays_as_it_was_read ON orders_commissionline;
DROP FUNCTION orders_commission_line_stays();
DROP TRIGGER a_withdrawn_statement_takes_its_lines ON orders_commissionstatement;
DROP FUNCTION orders_statement_goes();
DROP TRIGGER a_statement_stays_as_it_was_entered ON orders_commissionstatement;
DROP FUNCTION orders_statement_stays();
DROP TRIGGER a_share_changes_by_a_proposal ON orders_commissionshare;
DROP TRIGGER a_commission_rate_changes_by_a_proposal ON orders_commissionrate;
"""

# A partner reads what concerns it: its months, its lines, its payouts once they are decided, and the rates behind them.
STAFF = "current_setting('portal.scope', true) = 'all'"
# Asked once a statement, and not once a row.
MINE = "partner_id = (SELECT portal_scope_partner())"
DECIDED = f"{MINE} AND state IN ('APPROVED', 'PAID')"
READ_BY_PARTNERS = {
    "orders_commissionmonth": MINE,
    "orders_commissionline": MINE,
    "orders_commissionshare": MINE,
    "orders_payout": DECIDED,
    "orders_payoutline": "payout_id IN (SELECT p.id FROM orders_payout p WHERE p.partner_id = (SELECT portal_scope_partner()))",
    "orders_commissionrate": (
        "EXISTS (SELECT 1 FROM orders_commissionmonth m JOIN orders_scheme s ON s.id = m.scheme_id"
        " WHERE m.partner_id = (SELECT portal_scope_partner()) AND s.fund_house_id = orders_commissionrate.fund_house_id)"
    ),
}
WALLS = {
    "orders_commissionstatement": {"ALL": STAFF},
    **{table: {"ALL": STAFF, "SELECT": mine} for table, mine in READ_BY_PARTNERS.items()},
}


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0010_runs_of_files"),
        ("portal", "0008_messages_to_many"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CommissionStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(editable=False, max_length=20, unique=True)),
                ("name", models.CharField(max_length=120, verbose_name="file")),
                ("fingerprint", models.CharField(max_length=64)),
                ("entered_at", models.DateTimeField(verbose_name="entered")),
                ("lines_count", models.PositiveIntegerField(default=0, verbose_name="lines")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn")),
                ("withdrawn_why", models.CharField(blank=True, max_length=300, verbose_name="why it was withdrawn")),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "commission statement",
            },
        ),
        migrations.CreateModel(
            name="CommissionLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="line")),
                ("text", models.CharField(max_length=1000)),
                ("reference", models.CharField(blank=True, max_length=60, verbose_name="registrar's reference")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("TRAIL", "trail"),
                            ("INCENTIVE", "additional incentive"),
                            ("UPFRONT", "upfront, of before 22 October 2018"),
                            ("CHARGE", "transaction charge"),
                            ("CLAWBACK", "clawback"),
                            ("OTHER", "other"),
                        ],
                        default="TRAIL",
                        max_length=9,
                    ),
                ),
                ("month", models.DateField(blank=True, null=True)),
                ("folio_number", models.CharField(blank=True, max_length=40, verbose_name="folio in the file")),
                ("scheme_code", models.CharField(blank=True, max_length=60, verbose_name="scheme in the file")),
                ("amount", models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True)),
                ("gst", models.DecimalField(decimal_places=2, default=0, max_digits=15, verbose_name="GST")),
                ("tds", models.DecimalField(decimal_places=2, default=0, max_digits=15, verbose_name="TDS")),
                ("why_not", models.CharField(blank=True, max_length=200, verbose_name="why it does not count")),
                (
                    "folio",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commission_lines",
                        to="orders.folio",
                    ),
                ),
                (
                    "fund_house",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.fundhouse",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commission_lines",
                        to="portal.partner",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commission_lines",
                        to="orders.scheme",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="orders.commissionstatement",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a commission statement",
                "verbose_name_plural": "lines of commission statements",
            },
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(editable=False, max_length=20, unique=True)),
                ("month", models.DateField(verbose_name="up to")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ASKED", "waits for a second person"),
                            ("APPROVED", "approved, to be paid"),
                            ("PAID", "paid"),
                            ("WITHDRAWN", "withdrawn"),
                        ],
                        default="ASKED",
                        max_length=9,
                    ),
                ),
                ("received", models.DecimalField(decimal_places=2, max_digits=15)),
                ("payable", models.DecimalField(decimal_places=2, max_digits=15)),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                ("answer", models.CharField(blank=True, max_length=300)),
                (
                    "tds",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="TDS"),
                ),
                ("paid_on", models.DateField(blank=True, null=True)),
                ("utr", models.CharField(blank=True, max_length=40, verbose_name="UTR")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "paid_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payouts", to="portal.partner"
                    ),
                ),
            ],
            options={
                "verbose_name": "payout to a partner",
                "verbose_name_plural": "payouts to partners",
            },
        ),
        migrations.CreateModel(
            name="PayoutLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("percent", models.DecimalField(decimal_places=2, max_digits=5, verbose_name="share")),
                ("payable", models.DecimalField(decimal_places=2, max_digits=15)),
                ("counts", models.BooleanField(default=True)),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_lines",
                        to="orders.commissionline",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="orders.payout"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CommissionMonth",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("days", models.PositiveSmallIntegerField()),
                ("unpriced", models.PositiveSmallIntegerField(default=0, verbose_name="days without a NAV")),
                ("unrated", models.PositiveSmallIntegerField(default=0, verbose_name="days without a rate")),
                ("average_value", models.DecimalField(decimal_places=2, max_digits=18)),
                ("expected", models.DecimalField(decimal_places=2, max_digits=15)),
                ("computed_at", models.DateTimeField()),
                (
                    "folio",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="commission_months", to="orders.folio"
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commission_months",
                        to="portal.partner",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commission_months",
                        to="orders.scheme",
                    ),
                ),
            ],
            options={
                "verbose_name": "expected commission",
                "verbose_name_plural": "expected commission",
                "indexes": [models.Index(fields=["partner", "month"], name="commission_month_of_partner")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("month", "folio", "scheme"), name="a_month_of_a_holding_is_expected_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="expected_for_the_first_of_a_month"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("days__gte", 1),
                            ("days__lte", 31),
                            ("expected__gte", 0),
                            ("unpriced__lte", models.F("days")),
                            ("unrated__lte", models.F("days")),
                        ),
                        name="expected_for_days_of_a_month",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CommissionRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category", models.CharField(blank=True, max_length=80)),
                ("valid_from", models.DateField(verbose_name="holds from")),
                ("percent", models.DecimalField(decimal_places=4, max_digits=6, verbose_name="per cent a year")),
                ("source", models.CharField(max_length=300)),
                (
                    "fund_house",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commission_rates",
                        to="orders.fundhouse",
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commission_rates",
                        to="orders.scheme",
                    ),
                ),
            ],
            options={
                "verbose_name": "commission rate",
                "ordering": ["fund_house", "scheme", "category", "-valid_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("fund_house", "scheme", "category", "valid_from"),
                        name="one_commission_rate_on_a_day",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("percent__gte", 0), ("percent__lte", 5)),
                        name="a_commission_rate_is_between_none_and_five_per_cent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scheme__isnull", True), ("category", ""), _connector="OR"),
                        name="a_commission_rate_is_of_a_scheme_or_a_category",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", ""), _negated=True), name="a_commission_rate_has_a_source"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CommissionShare",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("valid_from", models.DateField(verbose_name="holds from")),
                ("percent", models.DecimalField(decimal_places=2, max_digits=5, verbose_name="per cent")),
                ("source", models.CharField(max_length=300)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commission_shares",
                        to="portal.partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "partner's share",
                "verbose_name_plural": "partners' shares",
                "ordering": ["partner", "-valid_from"],
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "valid_from"), name="one_share_of_a_partner_on_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(("percent__gte", 0), ("percent__lte", 100)),
                        name="a_share_is_between_none_and_all",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", ""), _negated=True), name="a_share_has_a_source"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="commissionstatement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("fingerprint",),
                name="a_commission_statement_is_entered_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True), ("withdrawn_why", "")),
                    models.Q(
                        ("withdrawn_at__isnull", False),
                        ("withdrawn_by__isnull", False),
                        models.Q(("withdrawn_why", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_statement_is_withdrawn_by_somebody_for_a_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="commissionline",
            index=models.Index(
                condition=models.Q(("why_not", "")), fields=["partner", "month"], name="commission_line_of_partner"
            ),
        ),
        migrations.AddIndex(
            model_name="commissionline",
            index=models.Index(
                condition=models.Q(("why_not", "")),
                fields=["month", "folio", "scheme"],
                name="commission_line_of_folio",
            ),
        ),
        migrations.AddIndex(
            model_name="commissionline",
            index=models.Index(
                condition=models.Q(("why_not", ""), _negated=True), fields=["-id"], name="commission_line_left_out"
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionline",
            constraint=models.UniqueConstraint(fields=("statement", "number"), name="a_line_of_a_statement_once"),
        ),
        migrations.AddConstraint(
            model_name="commissionline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("why_not", ""), models.Q(("reference", ""), _negated=True)),
                fields=("folio", "kind", "month", "reference"),
                name="what_a_registrar_refers_to_counts_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("why_not", ""), _negated=True),
                    models.Q(
                        ("amount__isnull", False),
                        ("folio__isnull", False),
                        ("fund_house__isnull", False),
                        ("month__isnull", False),
                        ("scheme__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="a_line_that_counts_is_matched",
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionline",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__isnull", True), ("month__day", 1), _connector="OR"),
                name="paid_for_the_first_of_a_month",
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "CLAWBACK"), _negated=True),
                    ("amount__isnull", True),
                    ("amount__lte", 0),
                    _connector="OR",
                ),
                name="a_clawback_takes_back",
            ),
        ),
        migrations.AddIndex(
            model_name="payout",
            index=models.Index(fields=["partner", "-id"], name="payouts_of_partner"),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ASKED")),
                fields=("partner",),
                name="one_payout_of_a_partner_waits_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("utr", ""), _negated=True), fields=("utr",), name="a_utr_pays_one_payout"
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(condition=models.Q(("month__day", 1)), name="a_payout_is_up_to_a_month"),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(condition=models.Q(("payable__gt", 0)), name="a_payout_pays_something"),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("state", "ASKED")),
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False), ("state", "WITHDRAWN")),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                        ("state__in", ("APPROVED", "PAID")),
                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_payout_takes_a_second_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("paid_by__isnull", False),
                        ("paid_on__isnull", False),
                        ("state", "PAID"),
                        ("tds__gte", 0),
                        ("tds__lt", models.F("payable")),
                        models.Q(("utr", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("state", "PAID"), _negated=True),
                        ("paid_by__isnull", True),
                        ("paid_on__isnull", True),
                        ("tds__isnull", True),
                        ("utr", ""),
                    ),
                    _connector="OR",
                ),
                name="a_paid_payout_says_how",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("counts", True)), fields=("line",), name="a_line_is_handed_on_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutline",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent__gte", 0), ("percent__lte", 100)), name="what_is_handed_on_is_a_part"
            ),
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        *[
            migrations.RunSQL(policies_sql(table, rules), without_policies_sql(table, rules))
            for table, rules in WALLS.items()
        ],
    ]
