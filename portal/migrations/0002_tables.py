"""The tables that every app leans on: sessions, evidence, cases, partners, the desk, notices, events."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import portal.addresses
import portal.encryption
import portal.migrating


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("portal", "0007_words"),
        ("portal", "0011_ops"),
        ("portal", "0012_partners"),
        ("portal", "0014_desk"),
        ("portal", "0015_events"),
        ("portal", "0017_api_use"),
        ("portal", "0018_saved_lists"),
        ("portal", "0021_partner_arn_until"),
        ("portal", "0024_case_due"),
    ]
    dependencies = [
        ("portal", "0001_people"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("allauth_idp_oidc", "0003_client_allow_uri_wildcards"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]

    operations = [
        portal.migrating.CreateTables(
            operations=[
                migrations.CreateModel(
                    name="Session",
                    fields=[
                        (
                            "session_key",
                            models.CharField(
                                max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                            ),
                        ),
                        ("session_data", models.TextField(verbose_name="session data")),
                        ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "session",
                        "verbose_name_plural": "sessions",
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Partner",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(max_length=20, unique=True)),
                        ("name", models.CharField(max_length=120)),
                        ("arn", models.CharField(blank=True, max_length=20, verbose_name="ARN")),
                        (
                            "arn_until",
                            models.DateField(
                                blank=True,
                                help_text="Its last good day. Empty: nobody watches it.",
                                null=True,
                                verbose_name="ARN good until",
                            ),
                        ),
                        ("euin", models.CharField(blank=True, max_length=7, verbose_name="EUIN")),
                        ("is_active", models.BooleanField(default=True)),
                        (
                            "api_closed_at",
                            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="API closed"),
                        ),
                        (
                            "api_closed_why",
                            models.CharField(
                                blank=True, editable=False, max_length=300, verbose_name="why the API is closed"
                            ),
                        ),
                        (
                            "networks",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=43),
                                blank=True,
                                default=list,
                                help_text="Addresses or networks that may call the API, with commas between them. Empty: any address.",
                                size=None,
                                validators=[portal.addresses.validate_networks],
                            ),
                        ),
                        (
                            "origins",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=200),
                                blank=True,
                                default=list,
                                help_text="Where pages of ours may send people back to, for example https://app.partner.example",
                                size=None,
                                validators=[portal.addresses.validate_origins],
                            ),
                        ),
                        (
                            "calls_per_minute",
                            models.PositiveIntegerField(
                                default=300, validators=[django.core.validators.MinValueValidator(1)]
                            ),
                        ),
                        (
                            "calls_per_day",
                            models.PositiveIntegerField(
                                default=100000, validators=[django.core.validators.MinValueValidator(1)]
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("calls_per_day__gte", 1), ("calls_per_minute__gte", 1)),
                                name="a_partner_may_call_at_all",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("api_closed_at", None),
                                    models.Q(("api_closed_why", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="a_closed_api_says_why",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("arn_until", None), models.Q(("arn", ""), _negated=True), _connector="OR"
                                ),
                                name="a_last_good_day_is_that_of_an_arn",
                                violation_error_message="Enter the ARN that ends on this day.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AuditEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField(db_index=True)),
                        ("actor", models.CharField(max_length=120)),
                        ("action", models.CharField(max_length=60)),
                        ("subject_kind", models.CharField(max_length=40)),
                        ("subject_id", models.CharField(max_length=40)),
                        ("reason", models.CharField(blank=True, max_length=300)),
                        ("data", models.JSONField(default=dict)),
                        ("door", models.CharField(blank=True, db_default="", max_length=10)),
                    ],
                    options={
                        "verbose_name_plural": "audit entries",
                        "indexes": [models.Index(fields=["subject_kind", "subject_id", "id"], name="audit_by_subject")],
                    },
                ),
                migrations.CreateModel(
                    name="AuditLink",
                    fields=[
                        (
                            "entry",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="link",
                                to="portal.auditentry",
                            ),
                        ),
                        ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("previous_hash", models.CharField(max_length=64)),
                        ("hash", models.CharField(max_length=64)),
                    ],
                ),
                migrations.CreateModel(
                    name="GatewayCall",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("provider", models.CharField(max_length=20)),
                        ("method", models.CharField(max_length=8)),
                        ("path", models.CharField(max_length=300)),
                        ("our_ref", models.CharField(blank=True, max_length=60)),
                        ("attempt_no", models.PositiveIntegerField(default=0)),
                        ("subject_kind", models.CharField(blank=True, max_length=40)),
                        ("subject_id", models.CharField(blank=True, max_length=40)),
                        (
                            "outcome",
                            models.CharField(
                                choices=[
                                    ("SENDING", "sending"),
                                    ("OK", "answered"),
                                    ("UNREACHABLE", "not sent"),
                                    ("THROTTLED", "asked to slow down"),
                                    ("OUTCOME_UNKNOWN", "outcome unknown"),
                                    ("NOT_AUTHORISED", "not authorised"),
                                    ("REFUSED", "refused"),
                                    ("GARBLED", "unreadable answer"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                        ("request_body", models.JSONField(blank=True, null=True)),
                        ("response_body", models.JSONField(blank=True, null=True)),
                        ("error", models.CharField(blank=True, max_length=500)),
                        ("started_at", models.DateTimeField()),
                        ("took_ms", models.PositiveIntegerField(blank=True, null=True)),
                        (
                            "written_as",
                            models.CharField(
                                db_default=django.db.models.functions.comparison.Coalesce(
                                    models.Func(
                                        models.Value("portal.scope"), models.Value(True), function="current_setting"
                                    ),
                                    models.Value(""),
                                    output_field=models.CharField(),
                                ),
                                editable=False,
                                max_length=40,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "provider call",
                        "indexes": [
                            models.Index(fields=["subject_kind", "subject_id", "id"], name="call_by_subject"),
                            models.Index(
                                condition=models.Q(("our_ref", ""), _negated=True),
                                fields=["our_ref"],
                                name="call_by_our_ref",
                            ),
                            models.Index(fields=["started_at"], name="call_by_time"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="InboundEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("provider", models.CharField(max_length=20)),
                        ("kind", models.CharField(max_length=40)),
                        ("fingerprint", models.CharField(max_length=64)),
                        ("subject_kind", models.CharField(blank=True, max_length=40)),
                        ("subject_id", models.CharField(blank=True, max_length=40)),
                        ("body", models.JSONField(default=dict)),
                        (
                            "state",
                            models.CharField(
                                choices=[("NEW", "to be worked"), ("DONE", "worked"), ("FAILED", "needs a look")],
                                default="NEW",
                                max_length=6,
                            ),
                        ),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("note", models.CharField(blank=True, max_length=300)),
                        ("times_seen", models.PositiveIntegerField(default=1)),
                        ("received_at", models.DateTimeField()),
                        ("worked_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "NEW")), fields=["received_at"], name="inbox_to_be_worked"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("provider", "fingerprint"), name="an_inbound_event_is_stored_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Case",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(max_length=20, unique=True)),
                        ("kind", models.CharField(max_length=40)),
                        ("subject_kind", models.CharField(max_length=40)),
                        ("subject_id", models.CharField(max_length=40)),
                        ("title", models.CharField(max_length=200)),
                        ("detail", models.TextField(blank=True)),
                        (
                            "rupees",
                            models.DecimalField(
                                blank=True, decimal_places=2, max_digits=17, null=True, verbose_name="rupees at risk"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("OPEN", "open"), ("CLOSED", "closed")], default="OPEN", max_length=6
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="cases",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("opened_at", models.DateTimeField()),
                        (
                            "look_by",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                        ),
                        (
                            "settle_by",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                        ),
                        (
                            "due_at",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Case(
                                    models.When(owner=None, then=models.F("look_by")), default=models.F("settle_by")
                                ),
                                output_field=models.DateTimeField(),
                            ),
                        ),
                        ("reported_at", models.DateTimeField()),
                        ("times_reported", models.PositiveIntegerField(default=1)),
                        ("closed_at", models.DateTimeField(blank=True, null=True)),
                        ("resolution", models.CharField(blank=True, max_length=300)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "OPEN")), fields=["opened_at"], name="cases_open"
                            ),
                            models.Index(
                                condition=models.Q(("state", "OPEN")), fields=["due_at", "id"], name="cases_due"
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "OPEN")),
                                fields=("kind", "subject_kind", "subject_id"),
                                name="one_open_case_per_kind_and_subject",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("closed_at__isnull", True), ("state", "OPEN")),
                                    models.Q(("closed_at__isnull", False), ("state", "CLOSED")),
                                    _connector="OR",
                                ),
                                name="a_case_is_closed_exactly_when_it_has_a_closing_time",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Gate",
                    fields=[
                        ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ("is_closed", models.BooleanField(default=False)),
                        ("reason", models.CharField(blank=True, max_length=300)),
                        ("changed_by", models.CharField(blank=True, max_length=120)),
                        ("changed_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Heartbeat",
                    fields=[
                        ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="JobRun",
                    fields=[
                        ("task", models.CharField(max_length=100, primary_key=True, serialize=False)),
                        ("runs", models.PositiveBigIntegerField(default=0)),
                        ("failures", models.PositiveBigIntegerField(default=0)),
                        ("ran_at", models.DateTimeField(null=True)),
                        ("took_ms", models.PositiveIntegerField(null=True)),
                        ("failed_at", models.DateTimeField(null=True)),
                        ("error", models.CharField(blank=True, max_length=300)),
                    ],
                ),
                migrations.CreateModel(
                    name="Provider",
                    fields=[
                        ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                        ("free_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ("answered_at", models.DateTimeField(null=True)),
                        ("trouble_at", models.DateTimeField(null=True)),
                        ("open_until", models.DateTimeField(null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="RoleChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="role_changes",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("role", models.CharField(max_length=40)),
                        ("give", models.BooleanField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("ASKED", "waits for a second person"),
                                    ("APPROVED", "approved"),
                                    ("APPLIED", "approved and applied"),
                                    ("REFUSED", "refused"),
                                    ("WITHDRAWN", "withdrawn"),
                                ],
                                default="ASKED",
                                max_length=9,
                            ),
                        ),
                        (
                            "asked_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="role_changes_asked",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        ("reason", models.CharField(max_length=300)),
                        (
                            "decided_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="role_changes_decided",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("answer", models.CharField(blank=True, max_length=300)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "ASKED")),
                                fields=("user", "role"),
                                name="one_open_role_change",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("asked_by", models.F("user")), _negated=True),
                                name="nobody_asks_for_a_role_of_their_own",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("decided_by__isnull", True), ("state", "ASKED")),
                                    models.Q(("decided_by", models.F("asked_by")), ("state", "WITHDRAWN")),
                                    models.Q(
                                        ("decided_by__isnull", False),
                                        ("state__in", ["APPROVED", "APPLIED", "REFUSED"]),
                                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                                        models.Q(("decided_by", models.F("user")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_role_change_is_decided_by_a_second_person",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PartnerMember",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="members", to="portal.partner"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="partner_memberships",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("began_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "verbose_name": "person of a partner",
                        "verbose_name_plural": "people of partners",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at", None)),
                                fields=("user",),
                                name="a_login_works_at_one_partner_at_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at", None), ("ended_at__gte", models.F("began_at")), _connector="OR"
                                ),
                                name="a_membership_ends_after_it_begins",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ApiKey",
                    fields=[
                        (
                            "client",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                primary_key=True,
                                related_name="api_key",
                                serialize=False,
                                to="allauth_idp_oidc.client",
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="api_keys",
                                to="portal.partner",
                            ),
                        ),
                        ("label", models.CharField(max_length=60)),
                        (
                            "created_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        (
                            "follows",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="followed_by",
                                to="portal.apikey",
                            ),
                        ),
                        ("retires_at", models.DateTimeField(blank=True, null=True)),
                        ("revoked_at", models.DateTimeField(blank=True, null=True)),
                        ("used_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "verbose_name": "API key",
                    },
                ),
                migrations.CreateModel(
                    name="IdempotentCall",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portal.partner"
                            ),
                        ),
                        ("route", models.CharField(max_length=200)),
                        ("key", models.CharField(max_length=255)),
                        ("fingerprint", models.CharField(max_length=64)),
                        ("status", models.PositiveSmallIntegerField(null=True)),
                        ("headers", models.JSONField(default=dict)),
                        ("body", portal.encryption.EncryptedTextField(blank=True)),
                        ("created_at", models.DateTimeField(db_index=True)),
                        ("answered_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("partner", "route", "key"), name="a_key_stands_once_per_partner_and_route"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("answered_at", None), ("status", None)),
                                    models.Q(("answered_at__isnull", False), ("status__isnull", False)),
                                    _connector="OR",
                                ),
                                name="an_answer_has_a_status_and_a_time",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ApiUse",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portal.partner"
                            ),
                        ),
                        ("span", models.CharField(choices=[("MINUTE", "minute"), ("DAY", "day")], max_length=6)),
                        ("began_at", models.DateTimeField(db_index=True)),
                        ("calls", models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("partner", "span", "began_at"), name="use_is_counted_once_per_span"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Proposal",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(max_length=20, unique=True)),
                        ("act", models.CharField(max_length=40)),
                        ("subject_kind", models.CharField(max_length=40)),
                        ("subject_id", models.CharField(blank=True, max_length=60)),
                        ("title", models.CharField(max_length=200)),
                        ("before", models.JSONField(blank=True, null=True)),
                        ("after", models.JSONField(blank=True, null=True)),
                        ("affects", models.CharField(blank=True, max_length=300)),
                        ("rupees", models.DecimalField(blank=True, decimal_places=2, max_digits=17, null=True)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("ASKED", "waits for a second person"),
                                    ("APPROVED", "approved"),
                                    ("APPLIED", "approved and applied"),
                                    ("REFUSED", "refused"),
                                    ("WITHDRAWN", "withdrawn"),
                                ],
                                default="ASKED",
                                max_length=9,
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
                        ("reason", models.CharField(max_length=300)),
                        ("needs_second", models.BooleanField(default=True)),
                        ("role", models.CharField(blank=True, max_length=40)),
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
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("answer", models.CharField(blank=True, max_length=300)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "ASKED")), fields=["asked_at"], name="proposals_open"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "ASKED"), models.Q(("subject_id", ""), _negated=True)),
                                fields=("act", "subject_kind", "subject_id"),
                                name="one_open_proposal_per_act_and_subject",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("decided_by__isnull", True), ("state", "ASKED")),
                                    models.Q(("decided_by", models.F("asked_by")), ("state", "WITHDRAWN")),
                                    models.Q(
                                        ("decided_by", models.F("asked_by")),
                                        ("needs_second", False),
                                        ("state__in", ["APPROVED", "APPLIED"]),
                                    ),
                                    models.Q(
                                        ("decided_by__isnull", False),
                                        ("state__in", ["APPROVED", "APPLIED", "REFUSED"]),
                                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_proposal_is_decided_by_a_second_person",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SecondPersonRule",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("act", models.CharField(max_length=40)),
                        ("needed", models.BooleanField(default=True, verbose_name="a second person decides")),
                        (
                            "from_rupees",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=17,
                                null=True,
                                verbose_name="only from so many rupees",
                            ),
                        ),
                        ("role", models.CharField(blank=True, max_length=40, verbose_name="role that decides")),
                        ("valid_from", models.DateTimeField()),
                    ],
                    options={
                        "verbose_name": "rule of two persons",
                        "verbose_name_plural": "rules of two persons",
                        "constraints": [
                            models.UniqueConstraint(fields=("act", "valid_from"), name="one_rule_per_act_and_moment")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Wording",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("catalogue", models.CharField(max_length=20)),
                        ("key", models.CharField(max_length=60)),
                        ("part", models.CharField(max_length=20)),
                        ("text", models.TextField(max_length=600)),
                        ("valid_from", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("catalogue", "key", "part", "valid_from"), name="one_wording_at_a_moment"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Handling",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("subject_kind", models.CharField(max_length=40)),
                        ("subject_id", models.CharField(max_length=40)),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("snoozed_until", models.DateTimeField(blank=True, null=True)),
                        ("set_aside_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("subject_kind", "subject_id"), name="a_thing_is_handled_in_one_row"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WorkItem",
                    fields=[
                        ("ref", models.CharField(max_length=110, primary_key=True, serialize=False)),
                        (
                            "source",
                            models.CharField(
                                choices=[
                                    ("case", "cases"),
                                    ("break", "breaks of reconciliation"),
                                    ("unknown", "unknown outcomes"),
                                    ("kyc", "KYC to check"),
                                    ("mandate", "rejected mandates"),
                                    ("sip", "failed SIPs"),
                                    ("event", "failed inbound events"),
                                    ("approval", "approvals"),
                                ],
                                max_length=10,
                                verbose_name="kind",
                            ),
                        ),
                        ("subject_kind", models.CharField(max_length=40)),
                        ("subject_id", models.CharField(max_length=40)),
                        ("title", models.CharField(max_length=300)),
                        ("since", models.DateTimeField()),
                        (
                            "rupees",
                            models.DecimalField(
                                decimal_places=2, max_digits=17, null=True, verbose_name="rupees at risk"
                            ),
                        ),
                        ("snoozed_until", models.DateTimeField(null=True)),
                        ("set_aside_at", models.DateTimeField(null=True)),
                        ("due_at", models.DateTimeField()),
                    ],
                    options={
                        "verbose_name": "thing to do",
                        "verbose_name_plural": "inbox",
                        "db_table": "portal_work",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="BulkRun",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(max_length=20, unique=True)),
                        ("subject_kind", models.CharField(max_length=40)),
                        ("act", models.CharField(max_length=40)),
                        ("label", models.CharField(max_length=80)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("DRAFT", "dry run"),
                                    ("RUNNING", "running"),
                                    ("DONE", "finished"),
                                    ("STOPPED", "stopped"),
                                ],
                                default="DRAFT",
                                max_length=7,
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
                        ("reason", models.CharField(blank=True, max_length=300)),
                        ("started_at", models.DateTimeField(blank=True, null=True)),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("due_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "verbose_name": "bulk act",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="bulk_run_due"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state", "DRAFT"), models.Q(("reason", ""), _negated=True), _connector="OR"
                                ),
                                name="a_bulk_act_is_started_with_a_reason",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BulkLine",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="portal.bulkrun"
                            ),
                        ),
                        ("subject_id", models.CharField(max_length=110)),
                        ("title", models.CharField(max_length=200)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("WAITING", "to be done"),
                                    ("SKIPPED", "left out"),
                                    ("RUNNING", "under way"),
                                    ("DONE", "done"),
                                    ("FAILED", "not done"),
                                    ("UNKNOWN", "outcome unknown"),
                                ],
                                default="WAITING",
                                max_length=7,
                            ),
                        ),
                        ("words", models.CharField(blank=True, max_length=300)),
                        ("at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "verbose_name": "line of a bulk act",
                        "verbose_name_plural": "lines of a bulk act",
                        "indexes": [models.Index(fields=["run", "state", "id"], name="bulk_lines_of_run")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("run", "subject_id"), name="a_row_stands_once_in_a_bulk_act"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SavedList",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("page", models.CharField(max_length=80)),
                        ("name", models.CharField(max_length=40)),
                        ("query", models.CharField(max_length=500)),
                    ],
                    options={
                        "verbose_name": "saved list",
                        "ordering": ["name"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("user", "page", "name"), name="a_list_is_saved_once_by_a_name"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Notice",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notices",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("event", models.CharField(max_length=40)),
                        ("subject_kind", models.CharField(max_length=40)),
                        ("subject_id", models.CharField(max_length=40)),
                        ("about", models.CharField(blank=True, max_length=40)),
                        ("title", models.CharField(max_length=150)),
                        ("text", models.CharField(max_length=600)),
                        ("facts", models.JSONField(default=list)),
                        ("url", models.CharField(max_length=200, verbose_name="address")),
                        ("at", models.DateTimeField()),
                        ("read_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["user", "-id"], name="notices_of_person"),
                            models.Index(
                                condition=models.Q(("read_at__isnull", True)), fields=["user"], name="notices_unread"
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("user", "event", "subject_kind", "subject_id", "about"),
                                name="a_person_is_told_a_thing_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Delivery",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "notice",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deliveries",
                                to="portal.notice",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("channel", models.CharField(max_length=8)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("WAITING", "waiting"),
                                    ("SENDING", "being sent"),
                                    ("SENT", "sent"),
                                    ("FAILED", "not sent"),
                                    ("UNKNOWN", "outcome unknown"),
                                ],
                                default="WAITING",
                                max_length=8,
                            ),
                        ),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("due_at", models.DateTimeField(blank=True, null=True)),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        ("error", models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        "verbose_name_plural": "deliveries",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="delivery_due"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("notice", "channel"), name="a_notice_goes_out_once_per_channel"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("sent_at__isnull", False), ("state", "SENT")),
                                    models.Q(("state", "SENT"), _negated=True),
                                    _connector="OR",
                                ),
                                name="what_was_sent_has_its_time",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NoticeChoice",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notice_choices",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("event", models.CharField(max_length=40)),
                        ("channel", models.CharField(max_length=8)),
                        ("wanted", models.BooleanField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("user", "event", "channel"), name="one_choice_per_event_and_channel"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PartnerEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(max_length=40, unique=True)),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="events", to="portal.partner"
                            ),
                        ),
                        ("type", models.CharField(max_length=60)),
                        ("kind", models.CharField(max_length=20)),
                        ("at", models.DateTimeField()),
                        ("data", models.JSONField()),
                        ("seq", models.PositiveBigIntegerField(null=True)),
                        ("day", models.DateField(null=True)),
                        ("hash", models.CharField(blank=True, max_length=64)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("partner", "seq"), name="a_partners_events_are_numbered_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("seq__isnull", True),
                                    models.Q(
                                        ("day__isnull", False), ("seq__gt", 0), models.Q(("hash", ""), _negated=True)
                                    ),
                                    _connector="OR",
                                ),
                                name="a_numbered_event_has_its_day_and_hash",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PartnerDay",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portal.partner"
                            ),
                        ),
                        ("day", models.DateField()),
                        ("events", models.PositiveBigIntegerField()),
                        ("first_seq", models.PositiveBigIntegerField()),
                        ("last_seq", models.PositiveBigIntegerField()),
                        ("last_hash", models.CharField(max_length=64)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("partner", "day"), name="a_partner_has_a_day_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "events",
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("last_seq"), "-", models.F("first_seq")
                                            ),
                                            "+",
                                            models.Value(1),
                                        ),
                                    )
                                ),
                                name="a_day_counts_every_number_of_its_events",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WebhookEndpoint",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(editable=False, max_length=20, unique=True)),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="endpoints",
                                to="portal.partner",
                            ),
                        ),
                        ("url", models.CharField(max_length=500, verbose_name="address")),
                        (
                            "kinds",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=20), blank=True, default=list, size=None
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("ACTIVE", "on"),
                                    ("PAUSED", "switched off by you"),
                                    ("DISABLED", "switched off after failures"),
                                    ("DELETED", "deleted"),
                                ],
                                default="ACTIVE",
                                max_length=8,
                            ),
                        ),
                        ("state_since", models.DateTimeField()),
                        ("secret", portal.encryption.EncryptedTextField()),
                        ("previous_secret", portal.encryption.EncryptedTextField(blank=True, null=True)),
                        ("previous_until", models.DateTimeField(blank=True, null=True)),
                        ("failing_since", models.DateTimeField(blank=True, null=True)),
                        ("last_took_ms", models.PositiveIntegerField(blank=True, null=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "DELETED"), _negated=True),
                                fields=("partner", "url"),
                                name="a_partner_names_an_address_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("previous_secret__isnull", True), ("previous_until__isnull", True)),
                                    models.Q(("previous_secret__isnull", False), ("previous_until__isnull", False)),
                                    _connector="OR",
                                ),
                                name="an_old_webhook_secret_has_an_end",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WebhookDelivery",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "endpoint",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deliveries",
                                to="portal.webhookendpoint",
                            ),
                        ),
                        (
                            "event",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deliveries",
                                to="portal.partnerevent",
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portal.partner"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("WAITING", "waiting"), ("DELIVERED", "delivered"), ("FAILED", "given up")],
                                default="WAITING",
                                max_length=9,
                            ),
                        ),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("due_at", models.DateTimeField(blank=True, null=True)),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "verbose_name_plural": "webhook deliveries",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)),
                                fields=["endpoint", "due_at"],
                                name="webhook_due",
                            ),
                            models.Index(fields=["endpoint", "-id"], name="webhooks_of_endpoint"),
                            models.Index(
                                condition=models.Q(("state", "FAILED")),
                                fields=["endpoint", "-id"],
                                name="webhooks_given_up",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("endpoint", "event"), name="an_event_goes_to_an_endpoint_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("due_at__isnull", False), ("ended_at__isnull", True), ("state", "WAITING")
                                    ),
                                    models.Q(
                                        ("due_at__isnull", True),
                                        ("ended_at__isnull", False),
                                        ("state__in", ["DELIVERED", "FAILED"]),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_delivery_waits_or_has_ended",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WebhookTry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "delivery",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="log",
                                to="portal.webhookdelivery",
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portal.partner"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("took_ms", models.PositiveIntegerField()),
                        ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                        ("answer", models.TextField(blank=True)),
                        ("error", models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        "verbose_name_plural": "webhook tries",
                        "indexes": [models.Index(fields=["at"], name="webhook_try_by_time")],
                    },
                ),
            ],
        ),
    ]
