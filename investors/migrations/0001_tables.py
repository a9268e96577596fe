"""The tables of people and of what they have authorised."""

import datetime
from decimal import Decimal

import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import portal.encryption
import portal.migrating


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("investors", "0001_initial"),
        ("investors", "0002_initial"),
        ("investors", "0004_consent_sent_at"),
        ("investors", "0005_people_whole"),
        ("investors", "0007_consent_purposes"),
        ("investors", "0008_desk"),
        ("investors", "0010_contact_changes"),
        ("investors", "0011_investor_record"),
        ("investors", "0012_privacy"),
        ("investors", "0013_merging"),
        ("investors", "0015_kyc_desk"),
        ("investors", "0018_authority"),
        ("investors", "0023_permanent_proof"),
        ("investors", "0024_broker_proof"),
        ("investors", "0026_machine_invites"),
        ("investors", "0027_unsent_invites"),
        ("investors", "0028_shown_cases"),
        ("investors", "0029_sips_compared"),
        ("investors", "0030_kyc_wanted"),
        ("investors", "0031_whose_contact"),
        ("investors", "0032_holdings_compared"),
        ("investors", "0033_transfers"),
        ("investors", "0034_mandate_refusals"),
        ("investors", "0036_closed_consents"),
        ("investors", "0037_fifteen_days"),
    ]
    dependencies = [("portal", "0004_walls"), ("pghistory", "0007_auto_20250421_0444")]

    operations = [
        portal.migrating.CreateTables(
            operations=[
                migrations.CreateModel(
                    name="Investor",
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
                        ("code", models.CharField(editable=False, max_length=20, unique=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="investors",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="investors",
                                to="portal.partner",
                            ),
                        ),
                        (
                            "euin",
                            models.CharField(
                                blank=True, editable=False, max_length=7, verbose_name="EUIN of the invitation"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("RESIDENT", "resident individual"),
                                    ("MINOR", "minor, through a guardian"),
                                    ("NRI", "non-resident Indian"),
                                ],
                                default="RESIDENT",
                                max_length=8,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("DRAFT", "getting ready"),
                                    ("REGISTERING", "being registered"),
                                    ("READY", "ready to invest"),
                                ],
                                default="DRAFT",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(auto_now_add=True)),
                        ("pan", portal.encryption.EncryptedTextField(blank=True, editable=False, verbose_name="PAN")),
                        ("pan_index", models.CharField(blank=True, editable=False, max_length=64, null=True)),
                        ("name", models.CharField(blank=True, max_length=70, verbose_name="name as on the PAN card")),
                        ("date_of_birth", models.DateField(blank=True, null=True)),
                        (
                            "gender",
                            models.CharField(
                                blank=True,
                                choices=[("FEMALE", "Female"), ("MALE", "Male"), ("OTHERS", "Other")],
                                max_length=10,
                            ),
                        ),
                        (
                            "marital_status",
                            models.CharField(
                                blank=True,
                                choices=[("MARRIED", "Married"), ("SINGLE", "Single"), ("OTHERS", "Other")],
                                max_length=10,
                            ),
                        ),
                        (
                            "occupation",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("AGRICULTURE", "Agriculture"),
                                    ("BUSINESS", "Business"),
                                    ("DOCTOR", "Doctor"),
                                    ("FOREX_DEALER", "Forex dealer"),
                                    ("GOVERNMENT_SERVICE", "Government service"),
                                    ("HOUSE_WIFE", "Homemaker"),
                                    ("PRIVATE_SECTOR_SERVICE", "Private-sector service"),
                                    ("PROFESSIONAL", "Professional"),
                                    ("PUBLIC_SECTOR_SERVICE", "Public-sector service"),
                                    ("RETIRED", "Retired"),
                                    ("SERVICE", "Service"),
                                    ("STUDENT", "Student"),
                                    ("OTHERS", "Other"),
                                ],
                                max_length=24,
                            ),
                        ),
                        ("mobile", models.CharField(blank=True, max_length=15)),
                        (
                            "isd_code",
                            models.CharField(default="91", max_length=4, verbose_name="country code of the mobile"),
                        ),
                        (
                            "mobile_is_of",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("SELF", "My own"),
                                    ("SPOUSE", "My spouse's"),
                                    ("CHILD", "My dependent child's"),
                                    ("PARENT", "My dependent parent's"),
                                    ("SIBLING", "My dependent brother's or sister's"),
                                    ("GUARDIAN", "The guardian's"),
                                ],
                                db_default="",
                                default="",
                                max_length=8,
                                verbose_name="whose mobile it is",
                            ),
                        ),
                        (
                            "email_is_of",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("SELF", "My own"),
                                    ("SPOUSE", "My spouse's"),
                                    ("CHILD", "My dependent child's"),
                                    ("PARENT", "My dependent parent's"),
                                    ("SIBLING", "My dependent brother's or sister's"),
                                    ("GUARDIAN", "The guardian's"),
                                ],
                                db_default="",
                                default="",
                                max_length=8,
                                verbose_name="whose email it is",
                            ),
                        ),
                        (
                            "father_or_spouse_name",
                            models.CharField(blank=True, max_length=70, verbose_name="father's or spouse's name"),
                        ),
                        (
                            "father_or_spouse_is",
                            models.CharField(
                                blank=True,
                                choices=[("FATHER", "Father"), ("SPOUSE", "Spouse")],
                                max_length=8,
                                verbose_name="this person is the",
                            ),
                        ),
                        ("mothers_name", models.CharField(blank=True, max_length=70, verbose_name="mother's name")),
                        ("office_phone", models.CharField(blank=True, max_length=15, verbose_name="office telephone")),
                        ("residence_phone", models.CharField(blank=True, max_length=15, verbose_name="home telephone")),
                        ("confirmed_from", models.GenericIPAddressField(blank=True, editable=False, null=True)),
                        ("country_of_citizenship", models.CharField(default="IN", max_length=2)),
                        ("guardian_name", models.CharField(blank=True, max_length=70)),
                        (
                            "guardian_pan",
                            portal.encryption.EncryptedTextField(
                                blank=True, editable=False, verbose_name="guardian's PAN"
                            ),
                        ),
                        ("guardian_pan_index", models.CharField(blank=True, editable=False, max_length=64)),
                        ("guardian_date_of_birth", models.DateField(blank=True, null=True)),
                        ("guardian_relationship", models.CharField(blank=True, max_length=20)),
                        ("country_of_birth", models.CharField(default="IN", max_length=2)),
                        (
                            "source_of_wealth",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("SALARY", "Salary"),
                                    ("BUSINESS", "Business"),
                                    ("GIFT", "Gift"),
                                    ("ANCESTRAL_PROPERTY", "Ancestral property"),
                                    ("RENTAL_INCOME", "Rental income"),
                                    ("PRIZE_MONEY", "Prize money"),
                                    ("ROYALTY", "Royalty"),
                                    ("OTHERS", "Other"),
                                ],
                                max_length=20,
                            ),
                        ),
                        (
                            "gross_annual_income",
                            models.PositiveBigIntegerField(
                                blank=True, null=True, verbose_name="gross annual income, rupees"
                            ),
                        ),
                        ("tax_resident_only_in_india", models.BooleanField(blank=True, null=True)),
                        ("is_politically_exposed", models.BooleanField(blank=True, null=True)),
                        ("is_related_to_politically_exposed", models.BooleanField(blank=True, null=True)),
                        (
                            "nomination_opted_out",
                            models.BooleanField(blank=True, null=True, verbose_name="opted out of nomination"),
                        ),
                        (
                            "provider_ref",
                            models.CharField(blank=True, editable=False, max_length=60, null=True, unique=True),
                        ),
                        ("kyc_wanted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("refusal", models.JSONField(blank=True, default=list, editable=False)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="investor_due"
                            ),
                            models.Index(
                                condition=models.Q(("mobile", ""), _negated=True),
                                fields=["mobile"],
                                name="investor_by_mobile",
                            ),
                            models.Index(
                                condition=models.Q(("state", "READY"), _negated=True),
                                fields=["state_since"],
                                name="investor_on_the_way",
                            ),
                            models.Index(
                                condition=models.Q(("kyc_wanted_at__isnull", False)),
                                fields=["kyc_wanted_at"],
                                name="kyc_is_wanted",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("pan_index",), name="one_investor_per_pan"),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "MINOR"), _negated=True),
                                fields=("user",),
                                name="one_application_of_ones_own_per_login",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "READY"), _negated=True),
                                    models.Q(("pan_index__isnull", False), ("provider_ref__isnull", False)),
                                    _connector="OR",
                                ),
                                name="a_ready_investor_is_known_to_the_provider",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind", "MINOR"), _negated=True),
                                    models.Q(("state", "READY"), _negated=True),
                                    models.Q(
                                        models.Q(("guardian_name", ""), _negated=True),
                                        models.Q(("guardian_pan_index", ""), _negated=True),
                                        models.Q(("guardian_relationship", ""), _negated=True),
                                        ("guardian_date_of_birth__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_ready_minor_has_a_guardian",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("father_or_spouse_is", ""), ("father_or_spouse_name", "")),
                                    models.Q(
                                        models.Q(("father_or_spouse_name", ""), _negated=True),
                                        models.Q(("father_or_spouse_is", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_father_or_spouse_is_said_to_be_which",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("kind", "MINOR"),
                                        models.Q(
                                            models.Q(("mobile_is_of", "GUARDIAN"), _negated=True),
                                            models.Q(("email_is_of", "GUARDIAN"), _negated=True),
                                        ),
                                        _connector="OR",
                                    ),
                                    models.Q(
                                        models.Q(("kind", "MINOR"), _negated=True),
                                        models.Q(
                                            ("email_is_of__in", ("", "GUARDIAN")),
                                            ("mobile_is_of__in", ("", "GUARDIAN")),
                                        ),
                                        _connector="OR",
                                    ),
                                ),
                                name="the_contacts_of_a_minor_are_the_guardians",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("attempt", ""), ("state__in", ("REGISTERING",)), _connector="OR"),
                                name="investor_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="investor",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "investors_investorevent" ("attempt", "attempt_no", "code", "confirmed_from", "country_of_birth", "country_of_citizenship", "created_at", "date_of_birth", "due_at", "email_is_of", "euin", "father_or_spouse_is", "father_or_spouse_name", "gender", "gross_annual_income", "guardian_date_of_birth", "guardian_name", "guardian_pan", "guardian_pan_index", "guardian_relationship", "id", "is_politically_exposed", "is_related_to_politically_exposed", "isd_code", "kind", "kyc_wanted_at", "lease_until", "looks", "marital_status", "mobile", "mobile_is_of", "mothers_name", "name", "nomination_opted_out", "occupation", "office_phone", "pan", "pan_index", "partner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_ref", "refusal", "residence_phone", "source_of_wealth", "state", "state_since", "tax_resident_only_in_india", "unknown_since", "user_id") VALUES (NEW."attempt", NEW."attempt_no", NEW."code", NEW."confirmed_from", NEW."country_of_birth", NEW."country_of_citizenship", NEW."created_at", NEW."date_of_birth", NEW."due_at", NEW."email_is_of", NEW."euin", NEW."father_or_spouse_is", NEW."father_or_spouse_name", NEW."gender", NEW."gross_annual_income", NEW."guardian_date_of_birth", NEW."guardian_name", NEW."guardian_pan", NEW."guardian_pan_index", NEW."guardian_relationship", NEW."id", NEW."is_politically_exposed", NEW."is_related_to_politically_exposed", NEW."isd_code", NEW."kind", NEW."kyc_wanted_at", NEW."lease_until", NEW."looks", NEW."marital_status", NEW."mobile", NEW."mobile_is_of", NEW."mothers_name", NEW."name", NEW."nomination_opted_out", NEW."occupation", NEW."office_phone", NEW."pan", NEW."pan_index", NEW."partner_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."provider_ref", NEW."refusal", NEW."residence_phone", NEW."source_of_wealth", NEW."state", NEW."state_since", NEW."tax_resident_only_in_india", NEW."unknown_since", NEW."user_id"); RETURN NULL;',
                            hash="85049dfad90a092cc946ad8dd2882e894d575716",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_e190b",
                            table="investors_investor",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="investor",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "investors_investorevent" ("attempt", "attempt_no", "code", "confirmed_from", "country_of_birth", "country_of_citizenship", "created_at", "date_of_birth", "due_at", "email_is_of", "euin", "father_or_spouse_is", "father_or_spouse_name", "gender", "gross_annual_income", "guardian_date_of_birth", "guardian_name", "guardian_pan", "guardian_pan_index", "guardian_relationship", "id", "is_politically_exposed", "is_related_to_politically_exposed", "isd_code", "kind", "kyc_wanted_at", "lease_until", "looks", "marital_status", "mobile", "mobile_is_of", "mothers_name", "name", "nomination_opted_out", "occupation", "office_phone", "pan", "pan_index", "partner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_ref", "refusal", "residence_phone", "source_of_wealth", "state", "state_since", "tax_resident_only_in_india", "unknown_since", "user_id") VALUES (NEW."attempt", NEW."attempt_no", NEW."code", NEW."confirmed_from", NEW."country_of_birth", NEW."country_of_citizenship", NEW."created_at", NEW."date_of_birth", NEW."due_at", NEW."email_is_of", NEW."euin", NEW."father_or_spouse_is", NEW."father_or_spouse_name", NEW."gender", NEW."gross_annual_income", NEW."guardian_date_of_birth", NEW."guardian_name", NEW."guardian_pan", NEW."guardian_pan_index", NEW."guardian_relationship", NEW."id", NEW."is_politically_exposed", NEW."is_related_to_politically_exposed", NEW."isd_code", NEW."kind", NEW."kyc_wanted_at", NEW."lease_until", NEW."looks", NEW."marital_status", NEW."mobile", NEW."mobile_is_of", NEW."mothers_name", NEW."name", NEW."nomination_opted_out", NEW."occupation", NEW."office_phone", NEW."pan", NEW."pan_index", NEW."partner_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."provider_ref", NEW."refusal", NEW."residence_phone", NEW."source_of_wealth", NEW."state", NEW."state_since", NEW."tax_resident_only_in_india", NEW."unknown_since", NEW."user_id"); RETURN NULL;',
                            hash="a980706ba1e1f1dc70dd6cd79caba3f2f7dffe93",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_ee4ec",
                            table="investors_investor",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="InvestorEvent",
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
                                to="investors.investor",
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
                        ("code", models.CharField(editable=False, max_length=20)),
                        (
                            "user",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="portal.partner",
                            ),
                        ),
                        (
                            "euin",
                            models.CharField(
                                blank=True, editable=False, max_length=7, verbose_name="EUIN of the invitation"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("RESIDENT", "resident individual"),
                                    ("MINOR", "minor, through a guardian"),
                                    ("NRI", "non-resident Indian"),
                                ],
                                default="RESIDENT",
                                max_length=8,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("DRAFT", "getting ready"),
                                    ("REGISTERING", "being registered"),
                                    ("READY", "ready to invest"),
                                ],
                                default="DRAFT",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(auto_now_add=True)),
                        ("pan", portal.encryption.EncryptedTextField(blank=True, editable=False, verbose_name="PAN")),
                        ("pan_index", models.CharField(blank=True, editable=False, max_length=64, null=True)),
                        ("name", models.CharField(blank=True, max_length=70, verbose_name="name as on the PAN card")),
                        ("date_of_birth", models.DateField(blank=True, null=True)),
                        (
                            "gender",
                            models.CharField(
                                blank=True,
                                choices=[("FEMALE", "Female"), ("MALE", "Male"), ("OTHERS", "Other")],
                                max_length=10,
                            ),
                        ),
                        (
                            "marital_status",
                            models.CharField(
                                blank=True,
                                choices=[("MARRIED", "Married"), ("SINGLE", "Single"), ("OTHERS", "Other")],
                                max_length=10,
                            ),
                        ),
                        (
                            "occupation",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("AGRICULTURE", "Agriculture"),
                                    ("BUSINESS", "Business"),
                                    ("DOCTOR", "Doctor"),
                                    ("FOREX_DEALER", "Forex dealer"),
                                    ("GOVERNMENT_SERVICE", "Government service"),
                                    ("HOUSE_WIFE", "Homemaker"),
                                    ("PRIVATE_SECTOR_SERVICE", "Private-sector service"),
                                    ("PROFESSIONAL", "Professional"),
                                    ("PUBLIC_SECTOR_SERVICE", "Public-sector service"),
                                    ("RETIRED", "Retired"),
                                    ("SERVICE", "Service"),
                                    ("STUDENT", "Student"),
                                    ("OTHERS", "Other"),
                                ],
                                max_length=24,
                            ),
                        ),
                        ("mobile", models.CharField(blank=True, max_length=15)),
                        (
                            "isd_code",
                            models.CharField(default="91", max_length=4, verbose_name="country code of the mobile"),
                        ),
                        (
                            "mobile_is_of",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("SELF", "My own"),
                                    ("SPOUSE", "My spouse's"),
                                    ("CHILD", "My dependent child's"),
                                    ("PARENT", "My dependent parent's"),
                                    ("SIBLING", "My dependent brother's or sister's"),
                                    ("GUARDIAN", "The guardian's"),
                                ],
                                db_default="",
                                default="",
                                max_length=8,
                                verbose_name="whose mobile it is",
                            ),
                        ),
                        (
                            "email_is_of",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("SELF", "My own"),
                                    ("SPOUSE", "My spouse's"),
                                    ("CHILD", "My dependent child's"),
                                    ("PARENT", "My dependent parent's"),
                                    ("SIBLING", "My dependent brother's or sister's"),
                                    ("GUARDIAN", "The guardian's"),
                                ],
                                db_default="",
                                default="",
                                max_length=8,
                                verbose_name="whose email it is",
                            ),
                        ),
                        (
                            "father_or_spouse_name",
                            models.CharField(blank=True, max_length=70, verbose_name="father's or spouse's name"),
                        ),
                        (
                            "father_or_spouse_is",
                            models.CharField(
                                blank=True,
                                choices=[("FATHER", "Father"), ("SPOUSE", "Spouse")],
                                max_length=8,
                                verbose_name="this person is the",
                            ),
                        ),
                        ("mothers_name", models.CharField(blank=True, max_length=70, verbose_name="mother's name")),
                        ("office_phone", models.CharField(blank=True, max_length=15, verbose_name="office telephone")),
                        ("residence_phone", models.CharField(blank=True, max_length=15, verbose_name="home telephone")),
                        ("confirmed_from", models.GenericIPAddressField(blank=True, editable=False, null=True)),
                        ("country_of_citizenship", models.CharField(default="IN", max_length=2)),
                        ("guardian_name", models.CharField(blank=True, max_length=70)),
                        (
                            "guardian_pan",
                            portal.encryption.EncryptedTextField(
                                blank=True, editable=False, verbose_name="guardian's PAN"
                            ),
                        ),
                        ("guardian_pan_index", models.CharField(blank=True, editable=False, max_length=64)),
                        ("guardian_date_of_birth", models.DateField(blank=True, null=True)),
                        ("guardian_relationship", models.CharField(blank=True, max_length=20)),
                        ("country_of_birth", models.CharField(default="IN", max_length=2)),
                        (
                            "source_of_wealth",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("SALARY", "Salary"),
                                    ("BUSINESS", "Business"),
                                    ("GIFT", "Gift"),
                                    ("ANCESTRAL_PROPERTY", "Ancestral property"),
                                    ("RENTAL_INCOME", "Rental income"),
                                    ("PRIZE_MONEY", "Prize money"),
                                    ("ROYALTY", "Royalty"),
                                    ("OTHERS", "Other"),
                                ],
                                max_length=20,
                            ),
                        ),
                        (
                            "gross_annual_income",
                            models.PositiveBigIntegerField(
                                blank=True, null=True, verbose_name="gross annual income, rupees"
                            ),
                        ),
                        ("tax_resident_only_in_india", models.BooleanField(blank=True, null=True)),
                        ("is_politically_exposed", models.BooleanField(blank=True, null=True)),
                        ("is_related_to_politically_exposed", models.BooleanField(blank=True, null=True)),
                        (
                            "nomination_opted_out",
                            models.BooleanField(blank=True, null=True, verbose_name="opted out of nomination"),
                        ),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("kyc_wanted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("refusal", models.JSONField(blank=True, default=list, editable=False)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Address",
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
                            "kind",
                            models.CharField(
                                choices=[
                                    ("CORRESPONDENCE", "correspondence"),
                                    ("PERMANENT", "permanent"),
                                    ("OVERSEAS", "overseas"),
                                ],
                                default="CORRESPONDENCE",
                                max_length=16,
                            ),
                        ),
                        ("line1", models.CharField(max_length=40, verbose_name="address line 1")),
                        ("line2", models.CharField(blank=True, max_length=40, verbose_name="address line 2")),
                        ("line3", models.CharField(blank=True, max_length=40, verbose_name="address line 3")),
                        ("pincode", models.CharField(max_length=12, verbose_name="PIN code")),
                        ("city", models.CharField(max_length=60)),
                        ("state", models.CharField(blank=True, max_length=60)),
                        ("country", models.CharField(default="IN", max_length=2)),
                    ],
                    options={
                        "verbose_name_plural": "addresses",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("investor", "kind"), name="one_address_of_each_kind_per_investor"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Nominee",
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
                        ("position", models.PositiveSmallIntegerField()),
                        ("name", models.CharField(max_length=35)),
                        ("relationship", models.CharField(max_length=20)),
                        ("date_of_birth", models.DateField()),
                        ("share", models.PositiveSmallIntegerField(verbose_name="share, percent")),
                        ("guardian_name", models.CharField(blank=True, max_length=35)),
                        ("guardian_relationship", models.CharField(blank=True, max_length=20)),
                    ],
                    options={
                        "ordering": ["position"],
                        "constraints": [
                            models.UniqueConstraint(fields=("investor", "position"), name="one_nominee_per_position"),
                            models.CheckConstraint(
                                condition=models.Q(("share__gte", 1), ("share__lte", 100)),
                                name="a_share_is_1_to_100_percent",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("position__gte", 1), ("position__lte", 3)),
                                name="at_most_three_nominees",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="InvestmentAccount",
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
                        ("provider_ref", models.CharField(max_length=60, unique=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("sips_compared_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("holdings_compared_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("investor",), name="one_investment_account_per_investor")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TaxResidence",
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
                        ("position", models.PositiveSmallIntegerField()),
                        ("country", models.CharField(max_length=2)),
                        (
                            "tax_id_kind",
                            models.CharField(
                                choices=[
                                    ("TIN", "Tax identification number (TIN)"),
                                    ("SSN", "Social security number (SSN)"),
                                    ("NIN", "National insurance number"),
                                    ("OTHER", "Another tax number"),
                                ],
                                max_length=20,
                                verbose_name="kind of tax number",
                            ),
                        ),
                        ("tax_id", portal.encryption.EncryptedTextField(verbose_name="tax number")),
                    ],
                    options={
                        "ordering": ["position"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("investor", "position"), name="one_tax_residence_per_position"
                            ),
                            models.UniqueConstraint(
                                fields=("investor", "country"), name="one_tax_residence_per_country"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("position__gte", 1), ("position__lte", 3)),
                                name="at_most_three_tax_residences",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("country", "IN"), _negated=True),
                                name="a_tax_residence_is_outside_india",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Authority",
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
                                related_name="authorities",
                                to="investors.investor",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="authorities",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "role",
                            models.CharField(
                                choices=[("SELF", "yourself"), ("GUARDIAN", "as guardian")], max_length=10
                            ),
                        ),
                        ("began_at", models.DateTimeField(auto_now_add=True)),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "verbose_name_plural": "authorities",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at", None)),
                                fields=("user", "investor"),
                                name="a_login_acts_for_an_investor_once",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at", None), ("role", "SELF")),
                                fields=("user",),
                                name="a_login_is_one_investor_itself",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at", None), ("ended_at__gte", models.F("began_at")), _connector="OR"
                                ),
                                name="an_authority_ends_after_it_begins",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Consent",
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
                            "purpose",
                            models.CharField(
                                choices=[
                                    ("PURCHASE", "buy units"),
                                    ("CART", "buy units of several schemes"),
                                    ("SIP", "invest every month"),
                                    ("REDEMPTION", "sell units"),
                                    ("MANDATE", "let the bank account be debited"),
                                    ("CHANGE", "change details"),
                                    ("NOMINATION", "name who receives the units, or nobody"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("form_ref", models.CharField(max_length=40)),
                        ("shown", models.JSONField()),
                        ("digest", models.CharField(max_length=64)),
                        ("amount", models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True)),
                        ("units", models.DecimalField(blank=True, decimal_places=3, max_digits=18, null=True)),
                        ("isin", models.CharField(blank=True, max_length=12)),
                        ("folio_number", models.CharField(blank=True, max_length=40)),
                        ("contact", models.CharField(max_length=254, verbose_name="where the code was sent")),
                        ("otp_hash", models.CharField(max_length=128)),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("asked_at", models.DateTimeField()),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        ("expires_at", models.DateTimeField()),
                        ("given_at", models.DateTimeField(blank=True, null=True)),
                        ("given_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("closed_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("investor", "form_ref"), name="one_consent_per_form"),
                            models.CheckConstraint(
                                condition=models.Q(("tries__lte", 5)), name="a_code_is_tried_at_most_five_times"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("given_at__isnull", True),
                                    ("given_at__lte", models.F("expires_at")),
                                    _connector="OR",
                                ),
                                name="a_consent_is_given_before_it_expires",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("closed_at__isnull", True), ("given_at__isnull", True), _connector="OR"
                                ),
                                name="a_closed_consent_is_never_given",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("amount__isnull", True), ("amount__gt", Decimal("0")), _connector="OR"
                                ),
                                name="a_consent_is_for_a_positive_amount",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Document",
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
                            "kind",
                            models.CharField(
                                choices=[
                                    ("IDENTITY_PROOF", "PAN card"),
                                    ("ADDRESS_FRONT", "address proof, front"),
                                    ("ADDRESS_BACK", "address proof, back"),
                                    ("PERMANENT_FRONT", "permanent address proof, front"),
                                    ("PERMANENT_BACK", "permanent address proof, back"),
                                    ("PHOTO", "photo"),
                                    ("SIGNATURE", "signature"),
                                    ("IPV_VIDEO", "video of yourself"),
                                    ("CANCELLED_CHEQUE", "cancelled cheque"),
                                    ("MANDATE_FORM", "signed mandate form"),
                                    ("BROKER_PROOF", "broker's confirmation"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("vault_name", models.CharField(editable=False, max_length=80, unique=True)),
                        ("sha256", models.CharField(editable=False, max_length=64)),
                        ("media_type", models.CharField(max_length=40)),
                        ("byte_size", models.PositiveIntegerField()),
                        ("pages", models.PositiveSmallIntegerField(default=1)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        (
                            "sent_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("refusal", models.CharField(blank=True, max_length=60)),
                        ("created_at", models.DateTimeField()),
                        ("replaced_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(
                                    ("replaced_at__isnull", True),
                                    models.Q(
                                        ("kind__in", ("CANCELLED_CHEQUE", "MANDATE_FORM", "BROKER_PROOF")),
                                        _negated=True,
                                    ),
                                ),
                                fields=("investor", "kind"),
                                name="one_current_document_of_each_kind",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("byte_size__gte", 1), ("byte_size__lte", 12582912)),
                                name="a_document_has_1_byte_to_12_mb",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BankAccount",
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
                        ("holder_name", models.CharField(max_length=70, verbose_name="account holder's name")),
                        ("number", portal.encryption.EncryptedTextField(verbose_name="account number")),
                        ("number_index", models.CharField(editable=False, max_length=64)),
                        ("last_four", models.CharField(editable=False, max_length=4)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("SAVINGS", "Savings"),
                                    ("CURRENT", "Current"),
                                    ("NRE", "NRE (non-resident external)"),
                                    ("NRO", "NRO (non-resident ordinary)"),
                                ],
                                max_length=8,
                                verbose_name="account type",
                            ),
                        ),
                        ("ifsc", models.CharField(max_length=11, verbose_name="IFSC")),
                        ("bank_name", models.CharField(max_length=120)),
                        ("branch_name", models.CharField(blank=True, max_length=120)),
                        ("is_primary", models.BooleanField(default=False)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        (
                            "verified",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "not verified yet"),
                                    ("PAID_FROM", "a payment came from it"),
                                    ("MANDATE", "the bank approved a mandate on it"),
                                    ("CHEQUE", "its cancelled cheque was seen"),
                                ],
                                default="",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("verified_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("payout_from", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "cancelled_cheque",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.document",
                            ),
                        ),
                        ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["number_index"], name="bank_account_by_number")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("is_primary", False), ("closed_at__isnull", True), _connector="OR"),
                                name="a_closed_bank_account_is_not_primary",
                            ),
                            models.UniqueConstraint(
                                fields=("investor", "number_index", "ifsc"), name="an_investor_adds_a_bank_account_once"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("is_primary", True)),
                                fields=("investor",),
                                name="one_primary_bank_account_per_investor",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="bankaccount",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "investors_bankaccountevent" ("bank_name", "branch_name", "cancelled_cheque_id", "closed_at", "code", "created_at", "holder_name", "id", "ifsc", "investor_id", "is_primary", "kind", "last_four", "number", "number_index", "payout_from", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_ref", "verified", "verified_at") VALUES (NEW."bank_name", NEW."branch_name", NEW."cancelled_cheque_id", NEW."closed_at", NEW."code", NEW."created_at", NEW."holder_name", NEW."id", NEW."ifsc", NEW."investor_id", NEW."is_primary", NEW."kind", NEW."last_four", NEW."number", NEW."number_index", NEW."payout_from", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."provider_ref", NEW."verified", NEW."verified_at"); RETURN NULL;',
                            hash="5f2c57a805f4b7099e3854bd4bbb0847ba3a3b38",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_8dda9",
                            table="investors_bankaccount",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="bankaccount",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "investors_bankaccountevent" ("bank_name", "branch_name", "cancelled_cheque_id", "closed_at", "code", "created_at", "holder_name", "id", "ifsc", "investor_id", "is_primary", "kind", "last_four", "number", "number_index", "payout_from", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "provider_ref", "verified", "verified_at") VALUES (NEW."bank_name", NEW."branch_name", NEW."cancelled_cheque_id", NEW."closed_at", NEW."code", NEW."created_at", NEW."holder_name", NEW."id", NEW."ifsc", NEW."investor_id", NEW."is_primary", NEW."kind", NEW."last_four", NEW."number", NEW."number_index", NEW."payout_from", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."provider_ref", NEW."verified", NEW."verified_at"); RETURN NULL;',
                            hash="642aeea2b26bfae6c44e3fd09f24aa6c3648e9a8",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_dc6a3",
                            table="investors_bankaccount",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="BankAccountEvent",
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
                                to="investors.bankaccount",
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
                        ("holder_name", models.CharField(max_length=70, verbose_name="account holder's name")),
                        ("number", portal.encryption.EncryptedTextField(verbose_name="account number")),
                        ("number_index", models.CharField(editable=False, max_length=64)),
                        ("last_four", models.CharField(editable=False, max_length=4)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("SAVINGS", "Savings"),
                                    ("CURRENT", "Current"),
                                    ("NRE", "NRE (non-resident external)"),
                                    ("NRO", "NRO (non-resident ordinary)"),
                                ],
                                max_length=8,
                                verbose_name="account type",
                            ),
                        ),
                        ("ifsc", models.CharField(max_length=11, verbose_name="IFSC")),
                        ("bank_name", models.CharField(max_length=120)),
                        ("branch_name", models.CharField(blank=True, max_length=120)),
                        ("is_primary", models.BooleanField(default=False)),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        (
                            "verified",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "not verified yet"),
                                    ("PAID_FROM", "a payment came from it"),
                                    ("MANDATE", "the bank approved a mandate on it"),
                                    ("CHEQUE", "its cancelled cheque was seen"),
                                ],
                                default="",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("verified_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("payout_from", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "cancelled_cheque",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.document",
                            ),
                        ),
                        ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Mandate",
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
                        ("form_ref", models.CharField(editable=False, max_length=40, unique=True)),
                        (
                            "bank_account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="mandates",
                                to="investors.bankaccount",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[("E_MANDATE", "e-mandate"), ("NACH", "paper mandate")], max_length=10
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "being set up"),
                                    ("AWAITING_INVESTOR", "needs your authorisation"),
                                    ("SUBMITTED", "with the bank"),
                                    ("APPROVED", "approved"),
                                    ("REJECTED", "rejected"),
                                    ("CANCELLED", "cancelled"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=20,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "limit",
                            models.DecimalField(decimal_places=2, max_digits=15, verbose_name="most per debit, rupees"),
                        ),
                        ("valid_from", models.DateField()),
                        ("valid_to", models.DateField(blank=True, null=True)),
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
                            "previous",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="next",
                                to="investors.mandate",
                            ),
                        ),
                        (
                            "signed_form",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.document",
                            ),
                        ),
                        (
                            "provider_ref",
                            models.CharField(blank=True, editable=False, max_length=60, null=True, unique=True),
                        ),
                        ("mandate_ref", models.CharField(blank=True, editable=False, max_length=60)),
                        ("umrn", models.CharField(blank=True, editable=False, max_length=40, verbose_name="UMRN")),
                        (
                            "page_url",
                            portal.encryption.EncryptedTextField(
                                blank=True, editable=False, verbose_name="the bank's page"
                            ),
                        ),
                        ("page_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "reason",
                            models.CharField(
                                blank=True, editable=False, max_length=300, verbose_name="the bank's reason"
                            ),
                        ),
                        ("refusal", models.JSONField(blank=True, default=list, editable=False)),
                        ("cancel_asked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("created_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("submitted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("approved_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("rejected_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="mandate_due"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("limit__gte", Decimal("1")), ("limit__lte", Decimal("10000000"))),
                                name="a_mandate_is_for_1_to_1_crore_rupees",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_to__isnull", True),
                                    ("valid_to__gt", models.F("valid_from")),
                                    _connector="OR",
                                ),
                                name="a_mandate_ends_after_it_begins",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "APPROVED"), _negated=True),
                                    ("provider_ref__isnull", False),
                                    _connector="OR",
                                ),
                                name="an_approved_mandate_is_known_to_the_provider",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("attempt", ""), ("state__in", ("CREATED", "AWAITING_INVESTOR")), _connector="OR"
                                ),
                                name="mandate_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="mandate",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "investors_mandateevent" ("approved_at", "attempt", "attempt_no", "bank_account_id", "cancel_asked_at", "code", "consent_id", "created_at", "due_at", "form_ref", "id", "investor_id", "kind", "lease_until", "limit", "looks", "mandate_ref", "page_expires_at", "page_url", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "previous_id", "provider_ref", "reason", "received_at", "refusal", "rejected_at", "signed_form_id", "state", "state_since", "submitted_at", "umrn", "unknown_since", "valid_from", "valid_to") VALUES (NEW."approved_at", NEW."attempt", NEW."attempt_no", NEW."bank_account_id", NEW."cancel_asked_at", NEW."code", NEW."consent_id", NEW."created_at", NEW."due_at", NEW."form_ref", NEW."id", NEW."investor_id", NEW."kind", NEW."lease_until", NEW."limit", NEW."looks", NEW."mandate_ref", NEW."page_expires_at", NEW."page_url", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."previous_id", NEW."provider_ref", NEW."reason", NEW."received_at", NEW."refusal", NEW."rejected_at", NEW."signed_form_id", NEW."state", NEW."state_since", NEW."submitted_at", NEW."umrn", NEW."unknown_since", NEW."valid_from", NEW."valid_to"); RETURN NULL;',
                            hash="c15932e0c25a16946a70eb2f3a7604fb1186d30e",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_4ff24",
                            table="investors_mandate",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="mandate",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "investors_mandateevent" ("approved_at", "attempt", "attempt_no", "bank_account_id", "cancel_asked_at", "code", "consent_id", "created_at", "due_at", "form_ref", "id", "investor_id", "kind", "lease_until", "limit", "looks", "mandate_ref", "page_expires_at", "page_url", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "previous_id", "provider_ref", "reason", "received_at", "refusal", "rejected_at", "signed_form_id", "state", "state_since", "submitted_at", "umrn", "unknown_since", "valid_from", "valid_to") VALUES (NEW."approved_at", NEW."attempt", NEW."attempt_no", NEW."bank_account_id", NEW."cancel_asked_at", NEW."code", NEW."consent_id", NEW."created_at", NEW."due_at", NEW."form_ref", NEW."id", NEW."investor_id", NEW."kind", NEW."lease_until", NEW."limit", NEW."looks", NEW."mandate_ref", NEW."page_expires_at", NEW."page_url", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."previous_id", NEW."provider_ref", NEW."reason", NEW."received_at", NEW."refusal", NEW."rejected_at", NEW."signed_form_id", NEW."state", NEW."state_since", NEW."submitted_at", NEW."umrn", NEW."unknown_since", NEW."valid_from", NEW."valid_to"); RETURN NULL;',
                            hash="bec9c3a77c25bf966a2fd1aba870d46856fa9cb6",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_ff0bf",
                            table="investors_mandate",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="MandateEvent",
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
                                to="investors.mandate",
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
                        ("form_ref", models.CharField(editable=False, max_length=40)),
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
                            "kind",
                            models.CharField(
                                choices=[("E_MANDATE", "e-mandate"), ("NACH", "paper mandate")], max_length=10
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("CREATED", "being set up"),
                                    ("AWAITING_INVESTOR", "needs your authorisation"),
                                    ("SUBMITTED", "with the bank"),
                                    ("APPROVED", "approved"),
                                    ("REJECTED", "rejected"),
                                    ("CANCELLED", "cancelled"),
                                ],
                                default="CREATED",
                                editable=False,
                                max_length=20,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "limit",
                            models.DecimalField(decimal_places=2, max_digits=15, verbose_name="most per debit, rupees"),
                        ),
                        ("valid_from", models.DateField()),
                        ("valid_to", models.DateField(blank=True, null=True)),
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
                            "previous",
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
                            "signed_form",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.document",
                            ),
                        ),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("mandate_ref", models.CharField(blank=True, editable=False, max_length=60)),
                        ("umrn", models.CharField(blank=True, editable=False, max_length=40, verbose_name="UMRN")),
                        (
                            "page_url",
                            portal.encryption.EncryptedTextField(
                                blank=True, editable=False, verbose_name="the bank's page"
                            ),
                        ),
                        ("page_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "reason",
                            models.CharField(
                                blank=True, editable=False, max_length=300, verbose_name="the bank's reason"
                            ),
                        ),
                        ("refusal", models.JSONField(blank=True, default=list, editable=False)),
                        ("cancel_asked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("created_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("submitted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("approved_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("rejected_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="InvestorCase",
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
                            "case",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT, related_name="shown", to="portal.case"
                            ),
                        ),
                        ("code", models.CharField(max_length=20, unique=True)),
                        ("kind", models.CharField(max_length=40)),
                        ("subject_kind", models.CharField(max_length=40)),
                        ("subject_id", models.CharField(max_length=40)),
                        ("what", models.CharField(max_length=200, verbose_name="about")),
                        ("url", models.CharField(max_length=200, verbose_name="address")),
                        ("opened_at", models.DateTimeField()),
                        ("closed_at", models.DateTimeField(blank=True, null=True)),
                        ("waits_since", models.DateTimeField(blank=True, null=True, verbose_name="unanswered since")),
                    ],
                    options={
                        "verbose_name": "case",
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["investor", "-id"], name="cases_of_investor"),
                            models.Index(fields=["subject_kind", "subject_id"], name="cases_shown_about"),
                            models.Index(
                                condition=models.Q(("waits_since__isnull", False)),
                                fields=["waits_since"],
                                name="cases_unanswered",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CaseMessage",
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
                            "shown",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="messages",
                                to="investors.investorcase",
                            ),
                        ),
                        (
                            "author",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("by_staff", models.BooleanField()),
                        ("text", models.CharField(max_length=1000)),
                        ("at", models.DateTimeField()),
                        ("form_ref", models.CharField(max_length=20)),
                    ],
                    options={
                        "verbose_name": "message about a case",
                        "verbose_name_plural": "messages about cases",
                        "ordering": ["id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("text", ""), _negated=True), name="a_message_says_something"
                            ),
                            models.UniqueConstraint(fields=("shown", "form_ref"), name="a_form_is_one_message"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ChangeRequest",
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
                        ("form_ref", models.CharField(editable=False, max_length=40, unique=True)),
                        (
                            "what",
                            models.CharField(
                                choices=[
                                    ("ADDRESS", "address"),
                                    ("NOMINEES", "nominees"),
                                    ("BANK_ACCOUNT", "a new bank account"),
                                    ("PRIMARY_BANK", "the main bank account"),
                                    ("EMAIL", "e-mail address"),
                                    ("MOBILE", "mobile number"),
                                    ("PROFILE", "personal details"),
                                ],
                                max_length=16,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("ASKED", "needs your code"),
                                    ("COOLING", "waiting out its cooling-off time"),
                                    ("CHECKING", "being checked by us"),
                                    ("SENDING", "being passed on"),
                                    ("DONE", "done"),
                                    ("WITHDRAWN", "withdrawn"),
                                    ("REFUSED", "refused"),
                                ],
                                default="ASKED",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "before",
                            portal.encryption.EncryptedTextField(editable=False, verbose_name="as it was, JSON"),
                        ),
                        (
                            "after",
                            portal.encryption.EncryptedTextField(editable=False, verbose_name="as it shall be, JSON"),
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
                            "proof",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.consent",
                            ),
                        ),
                        (
                            "paper",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="investors.document",
                            ),
                        ),
                        ("effective_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
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
                        ("reason", models.CharField(blank=True, max_length=300)),
                        ("refusal", models.JSONField(blank=True, default=list, editable=False)),
                        ("created_at", models.DateTimeField()),
                        ("done_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="change_due"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("ASKED", "COOLING", "CHECKING", "SENDING"))),
                                fields=("investor", "what"),
                                name="one_open_change_of_each_kind",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("decided_by__isnull", True),
                                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                                    _connector="OR",
                                ),
                                name="nobody_decides_their_own_change",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state__in", ("ASKED", "WITHDRAWN", "REFUSED")),
                                    ("consent__isnull", False),
                                    _connector="OR",
                                ),
                                name="a_change_begins_with_a_consent",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state__in", ("ASKED", "WITHDRAWN", "REFUSED")),
                                    models.Q(("what", "EMAIL"), _negated=True),
                                    ("proof__isnull", False),
                                    _connector="OR",
                                ),
                                name="a_new_email_address_has_proved_itself",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(
                                    ("state__in", ("COOLING", "CHECKING", "SENDING")), ("what__in", ("EMAIL", "MOBILE"))
                                ),
                                fields=("investor",),
                                name="one_contact_changes_at_a_time",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("attempt", ""), _negated=True),
                                fields=("investor",),
                                name="one_change_of_an_investor_is_sent_at_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("attempt", ""), ("state__in", ("SENDING",)), _connector="OR"),
                                name="change_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="changerequest",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "investors_changerequestevent" ("after", "asked_by_id", "attempt", "attempt_no", "before", "code", "consent_id", "created_at", "decided_by_id", "done_at", "due_at", "effective_at", "form_ref", "id", "investor_id", "lease_until", "looks", "paper_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proof_id", "reason", "refusal", "state", "state_since", "unknown_since", "what") VALUES (NEW."after", NEW."asked_by_id", NEW."attempt", NEW."attempt_no", NEW."before", NEW."code", NEW."consent_id", NEW."created_at", NEW."decided_by_id", NEW."done_at", NEW."due_at", NEW."effective_at", NEW."form_ref", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", NEW."paper_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."proof_id", NEW."reason", NEW."refusal", NEW."state", NEW."state_since", NEW."unknown_since", NEW."what"); RETURN NULL;',
                            hash="e5fd238971744d9a14771680d2e7a5244fc95581",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_f2702",
                            table="investors_changerequest",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="changerequest",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "investors_changerequestevent" ("after", "asked_by_id", "attempt", "attempt_no", "before", "code", "consent_id", "created_at", "decided_by_id", "done_at", "due_at", "effective_at", "form_ref", "id", "investor_id", "lease_until", "looks", "paper_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proof_id", "reason", "refusal", "state", "state_since", "unknown_since", "what") VALUES (NEW."after", NEW."asked_by_id", NEW."attempt", NEW."attempt_no", NEW."before", NEW."code", NEW."consent_id", NEW."created_at", NEW."decided_by_id", NEW."done_at", NEW."due_at", NEW."effective_at", NEW."form_ref", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", NEW."paper_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."proof_id", NEW."reason", NEW."refusal", NEW."state", NEW."state_since", NEW."unknown_since", NEW."what"); RETURN NULL;',
                            hash="b2a9ecc019804962b0ca0a2882b9f23bee165a3a",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_b9c8f",
                            table="investors_changerequest",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="ChangeRequestEvent",
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
                                to="investors.changerequest",
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
                        ("form_ref", models.CharField(editable=False, max_length=40)),
                        (
                            "what",
                            models.CharField(
                                choices=[
                                    ("ADDRESS", "address"),
                                    ("NOMINEES", "nominees"),
                                    ("BANK_ACCOUNT", "a new bank account"),
                                    ("PRIMARY_BANK", "the main bank account"),
                                    ("EMAIL", "e-mail address"),
                                    ("MOBILE", "mobile number"),
                                    ("PROFILE", "personal details"),
                                ],
                                max_length=16,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("ASKED", "needs your code"),
                                    ("COOLING", "waiting out its cooling-off time"),
                                    ("CHECKING", "being checked by us"),
                                    ("SENDING", "being passed on"),
                                    ("DONE", "done"),
                                    ("WITHDRAWN", "withdrawn"),
                                    ("REFUSED", "refused"),
                                ],
                                default="ASKED",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "before",
                            portal.encryption.EncryptedTextField(editable=False, verbose_name="as it was, JSON"),
                        ),
                        (
                            "after",
                            portal.encryption.EncryptedTextField(editable=False, verbose_name="as it shall be, JSON"),
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
                            "proof",
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
                            "paper",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.document",
                            ),
                        ),
                        ("effective_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "decided_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=300)),
                        ("refusal", models.JSONField(blank=True, default=list, editable=False)),
                        ("created_at", models.DateTimeField()),
                        ("done_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Invite",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(editable=False, max_length=20, unique=True)),
                        ("secret_hash", models.CharField(editable=False, max_length=64, unique=True)),
                        ("email", models.EmailField(max_length=254)),
                        ("name", models.CharField(blank=True, max_length=70)),
                        (
                            "filled",
                            portal.encryption.EncryptedTextField(
                                blank=True, editable=False, verbose_name="what is known already, JSON"
                            ),
                        ),
                        (
                            "partner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="invites",
                                to="portal.partner",
                            ),
                        ),
                        ("euin", models.CharField(blank=True, max_length=7, verbose_name="EUIN")),
                        (
                            "basis",
                            models.CharField(blank=True, max_length=300, verbose_name="why we may write to them"),
                        ),
                        (
                            "invited_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "investor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="invites",
                                to="investors.investor",
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        (
                            "sent",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "not sent yet"),
                                    ("SENT", "sent"),
                                    ("FAILED", "the mail server did not take it"),
                                ],
                                default="",
                                max_length=6,
                            ),
                        ),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        ("times_sent", models.PositiveSmallIntegerField(default=0)),
                        ("expires_at", models.DateTimeField()),
                        ("agreed", models.TextField(blank=True)),
                        ("agreed_ip", models.GenericIPAddressField(blank=True, null=True)),
                        ("used_at", models.DateTimeField(blank=True, null=True)),
                        ("revoked_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("revoked_at", None), ("sent", ""), ("used_at", None)),
                                fields=["expires_at"],
                                name="invites_not_sent_yet",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("used_at__isnull", True), ("revoked_at__isnull", True), _connector="OR"
                                ),
                                name="a_used_invite_is_not_revoked",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("invited_by__isnull", False), ("partner__isnull", False), _connector="OR"
                                ),
                                name="an_invite_says_who_invites",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("used_at__isnull", True), ("used_at__lte", models.F("expires_at")), _connector="OR"
                                ),
                                name="an_invite_is_used_before_it_expires",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("used_at__isnull", True),
                                    models.Q(("investor__isnull", False), models.Q(("agreed", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="a_used_invite_names_its_investor_and_what_was_agreed",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("revoked_at__isnull", True), ("used_at__isnull", True)),
                                fields=("email", "partner"),
                                name="one_open_invite_per_address_and_partner",
                                nulls_distinct=False,
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="FieldSource",
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
                        ("field", models.CharField(max_length=60)),
                        (
                            "source",
                            models.CharField(
                                choices=[
                                    ("INVESTOR", "entered by you"),
                                    ("STAFF", "entered by our staff"),
                                    ("PARTNER", "entered by your adviser"),
                                    ("REGISTRY", "from the KYC registry"),
                                    ("LOOKED_UP", "looked up"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("investor", "field"), name="one_source_per_field"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("source__in", ("STAFF", "PARTNER")),
                                    ("confirmed_at__isnull", True),
                                    _connector="OR",
                                ),
                                name="only_what_others_entered_is_confirmed",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Application",
                    fields=[
                        ("ref", models.CharField(max_length=24, primary_key=True, serialize=False)),
                        (
                            "stage",
                            models.CharField(
                                choices=[
                                    ("INVITED", "invited"),
                                    ("IN_PROGRESS", "in progress"),
                                    ("YOU_ACT", "you must act"),
                                    ("WE_CHECK", "we are checking"),
                                    ("READY", "ready"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("why", models.CharField(max_length=24)),
                        ("since", models.DateTimeField()),
                        ("until", models.DateTimeField(null=True)),
                        ("is_open", models.BooleanField()),
                    ],
                    options={
                        "db_table": "v_applications",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="NameWord",
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
                        ("word", models.CharField(db_collation="C", max_length=70)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("word", "investor"), name="a_word_of_a_name_stands_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Merge",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(editable=False, max_length=20, unique=True)),
                        (
                            "kept",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="merges",
                                to="investors.investor",
                            ),
                        ),
                        (
                            "gone",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="merged_into",
                                to="investors.investor",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("ASKED", "waits for a second person"),
                                    ("APPLIED", "merged"),
                                    ("REFUSED", "refused"),
                                    ("WITHDRAWN", "withdrawn"),
                                    ("UNDONE", "merged and undone"),
                                ],
                                default="ASKED",
                                editable=False,
                                max_length=9,
                            ),
                        ),
                        ("plan", models.JSONField(default=dict, editable=False)),
                        ("digest", models.CharField(editable=False, max_length=64)),
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
                        ("took_login", models.BooleanField(default=False, editable=False)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("kept", models.F("gone")), _negated=True),
                                name="nobody_is_merged_into_themselves",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("ASKED", "APPLIED"))),
                                fields=("gone",),
                                name="one_merge_takes_an_investor_away",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("decided_by__isnull", True), ("state", "ASKED")),
                                    models.Q(("decided_by", models.F("asked_by")), ("state", "WITHDRAWN")),
                                    models.Q(
                                        ("decided_by__isnull", False),
                                        ("state__in", ("APPLIED", "REFUSED", "UNDONE")),
                                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_merge_is_decided_by_a_second_person",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="KycCheck",
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
                        ("pan_index", models.CharField(max_length=64)),
                        ("provider_ref", models.CharField(max_length=60)),
                        ("is_compliant", models.BooleanField()),
                        ("reason", models.CharField(blank=True, max_length=60)),
                        ("action", models.CharField(blank=True, max_length=60)),
                        (
                            "investment_limit",
                            models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True),
                        ),
                        (
                            "verbatim",
                            portal.encryption.EncryptedTextField(blank=True, verbose_name="the registry's own words"),
                        ),
                        ("checked_at", models.DateTimeField()),
                    ],
                    options={
                        "verbose_name": "KYC check",
                        "indexes": [models.Index(fields=["investor", "-checked_at"], name="kyc_newest_first")],
                    },
                ),
                migrations.CreateModel(
                    name="KycRequest",
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
                            "state",
                            models.CharField(
                                choices=[
                                    ("DRAFT", "being filled in"),
                                    ("PENDING", "more is needed from you"),
                                    ("SUBMITTED", "being checked"),
                                    ("SUCCESSFUL", "KYC done"),
                                    ("REJECTED", "something must be corrected"),
                                    ("EXPIRED", "expired"),
                                ],
                                default="DRAFT",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "answers",
                            portal.encryption.EncryptedTextField(
                                blank=True, editable=False, verbose_name="what the investor entered"
                            ),
                        ),
                        (
                            "provider_ref",
                            models.CharField(blank=True, editable=False, max_length=60, null=True, unique=True),
                        ),
                        ("expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("fields_needed", models.JSONField(blank=True, default=list, editable=False)),
                        ("rejections", models.JSONField(blank=True, default=list, editable=False)),
                        ("refusal", models.JSONField(blank=True, default=list, editable=False)),
                        (
                            "previous",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="next",
                                to="investors.kycrequest",
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("submitted_at", models.DateTimeField(blank=True, null=True)),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("approved_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "approved_by",
                            models.ForeignKey(
                                blank=True,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "resent_by",
                            models.ForeignKey(
                                blank=True,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "KYC request",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="kyc_request_due"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("resent_by__isnull", True),
                                    ("approved_by__isnull", True),
                                    models.Q(("approved_by", models.F("resent_by")), _negated=True),
                                    _connector="OR",
                                ),
                                name="nobody_approves_the_kyc_request_they_sent_again",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("resent_by__isnull", True),
                                    ("approved_at__isnull", True),
                                    ("approved_by__isnull", False),
                                    _connector="OR",
                                ),
                                name="a_kyc_request_sent_again_needs_a_persons_yes",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("DRAFT", "PENDING", "SUBMITTED"))),
                                fields=("investor",),
                                name="one_open_kyc_request_per_investor",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state__in", ("DRAFT", "PENDING", "EXPIRED")),
                                    ("provider_ref__isnull", False),
                                    _connector="OR",
                                ),
                                name="a_submitted_kyc_request_is_known_to_the_provider",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("attempt", ""), ("state__in", ("DRAFT", "PENDING")), _connector="OR"
                                ),
                                name="kyc_request_attempt_is_open_only_while_sending",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="kycrequest",
                    trigger=pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "investors_kycrequestevent" ("answers", "approved_at", "approved_by_id", "attempt", "attempt_no", "code", "created_at", "decided_at", "due_at", "expires_at", "fields_needed", "id", "investor_id", "lease_until", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "previous_id", "provider_ref", "refusal", "rejections", "resent_by_id", "state", "state_since", "submitted_at", "unknown_since") VALUES (NEW."answers", NEW."approved_at", NEW."approved_by_id", NEW."attempt", NEW."attempt_no", NEW."code", NEW."created_at", NEW."decided_at", NEW."due_at", NEW."expires_at", NEW."fields_needed", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."previous_id", NEW."provider_ref", NEW."refusal", NEW."rejections", NEW."resent_by_id", NEW."state", NEW."state_since", NEW."submitted_at", NEW."unknown_since"); RETURN NULL;',
                            hash="8e8d4615e7c10b7d771eb176760a985895db3939",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_4e91d",
                            table="investors_kycrequest",
                            when="AFTER",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="kycrequest",
                    trigger=pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "investors_kycrequestevent" ("answers", "approved_at", "approved_by_id", "attempt", "attempt_no", "code", "created_at", "decided_at", "due_at", "expires_at", "fields_needed", "id", "investor_id", "lease_until", "looks", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "previous_id", "provider_ref", "refusal", "rejections", "resent_by_id", "state", "state_since", "submitted_at", "unknown_since") VALUES (NEW."answers", NEW."approved_at", NEW."approved_by_id", NEW."attempt", NEW."attempt_no", NEW."code", NEW."created_at", NEW."decided_at", NEW."due_at", NEW."expires_at", NEW."fields_needed", NEW."id", NEW."investor_id", NEW."lease_until", NEW."looks", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."previous_id", NEW."provider_ref", NEW."refusal", NEW."rejections", NEW."resent_by_id", NEW."state", NEW."state_since", NEW."submitted_at", NEW."unknown_since"); RETURN NULL;',
                            hash="5e0bbce9ec6f66e682a589fb01ad6d9603636202",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_cbb34",
                            table="investors_kycrequest",
                            when="AFTER",
                        ),
                    ),
                ),
                migrations.CreateModel(
                    name="KycRequestEvent",
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
                                to="investors.kycrequest",
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
                            "state",
                            models.CharField(
                                choices=[
                                    ("DRAFT", "being filled in"),
                                    ("PENDING", "more is needed from you"),
                                    ("SUBMITTED", "being checked"),
                                    ("SUCCESSFUL", "KYC done"),
                                    ("REJECTED", "something must be corrected"),
                                    ("EXPIRED", "expired"),
                                ],
                                default="DRAFT",
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        (
                            "answers",
                            portal.encryption.EncryptedTextField(
                                blank=True, editable=False, verbose_name="what the investor entered"
                            ),
                        ),
                        ("provider_ref", models.CharField(blank=True, editable=False, max_length=60, null=True)),
                        ("expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("fields_needed", models.JSONField(blank=True, default=list, editable=False)),
                        ("rejections", models.JSONField(blank=True, default=list, editable=False)),
                        ("refusal", models.JSONField(blank=True, default=list, editable=False)),
                        (
                            "previous",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="investors.kycrequest",
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("submitted_at", models.DateTimeField(blank=True, null=True)),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("approved_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "approved_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "resent_by",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="DataExport",
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
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="investors.consent"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("ASKED", "being made"), ("MADE", "ready"), ("GONE", "no longer kept")],
                                default="ASKED",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("asked_at", models.DateTimeField()),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("made_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("vault_name", models.CharField(blank=True, editable=False, max_length=80)),
                        ("byte_size", models.PositiveIntegerField(default=0, editable=False)),
                        (
                            "taken_at",
                            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last downloaded"),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="data_export_due"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "ASKED")),
                                fields=("investor",),
                                name="one_export_is_made_at_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("state", "MADE"), ("vault_name", ""), _connector="XOR"),
                                name="a_copy_is_kept_while_it_is_ready",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ErasureRequest",
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
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="investors.consent"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("HELD", "held for the time that the law sets"),
                                    ("DONE", "erased"),
                                    ("WITHDRAWN", "withdrawn"),
                                ],
                                default="HELD",
                                editable=False,
                                max_length=10,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("asked_at", models.DateTimeField()),
                        ("held_until", models.DateTimeField(blank=True, editable=False, null=True)),
                        (
                            "why",
                            models.CharField(blank=True, editable=False, max_length=300, verbose_name="why it is held"),
                        ),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("done_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("outcome", models.JSONField(blank=True, default=dict, editable=False)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="erasure_due"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "HELD")),
                                fields=("investor",),
                                name="one_erasure_is_held_per_investor",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "DONE"), _negated=True),
                                    models.Q(("done_at__gte", models.F("held_until")), ("done_at__isnull", False)),
                                    _connector="OR",
                                ),
                                name="nothing_is_erased_before_its_term",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Transfer",
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
                            "from_partner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="portal.partner",
                            ),
                        ),
                        (
                            "to_partner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portal.partner"
                            ),
                        ),
                        ("from_name", models.CharField(max_length=120)),
                        ("to_name", models.CharField(max_length=120)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("WAITING", "time for objections"),
                                    ("OBJECTED", "objected to"),
                                    ("DONE", "done"),
                                    ("STOPPED", "stopped"),
                                ],
                                default="WAITING",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("state_since", models.DateTimeField(editable=False)),
                        ("basis", models.CharField(max_length=300)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        ("objections_until", models.DateTimeField()),
                        ("agreed_at", models.DateTimeField(blank=True, null=True)),
                        ("objection", models.CharField(blank=True, max_length=300)),
                        ("objected_at", models.DateTimeField(blank=True, null=True)),
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
                        ("answer", models.CharField(blank=True, max_length=300)),
                        ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="transfer_due"
                            ),
                            models.Index(fields=["from_partner", "-id"], name="transfers_from_partner"),
                            models.Index(fields=["to_partner", "-id"], name="transfers_to_partner"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("from_partner__isnull", True),
                                    models.Q(("from_partner", models.F("to_partner")), _negated=True),
                                    _connector="OR",
                                ),
                                name="nobody_is_transferred_to_where_they_are",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("WAITING", "OBJECTED"))),
                                fields=("investor",),
                                name="one_transfer_at_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "objections_until__gte",
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("asked_at"), "+", models.Value(datetime.timedelta(days=15))
                                        ),
                                    )
                                ),
                                name="there_are_fifteen_days_for_objections",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("objected_at__isnull", True),
                                    ("objected_at__lt", models.F("objections_until")),
                                    _connector="OR",
                                ),
                                name="an_objection_is_made_in_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "DONE"), _negated=True),
                                    ("state_since__gte", models.F("objections_until")),
                                    _connector="OR",
                                ),
                                name="nobody_is_transferred_before_the_time_for_objections_is_over",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("objected_at__isnull", True), ("objection", "")),
                                    models.Q(
                                        models.Q(("objection", ""), _negated=True), ("objected_at__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="an_objection_has_words_and_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "OBJECTED"), _negated=True),
                                    ("objected_at__isnull", False),
                                    _connector="OR",
                                ),
                                name="an_objection_is_on_record",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "DONE"), _negated=True),
                                    models.Q(("agreed_at__isnull", False), ("objected_at__isnull", True)),
                                    models.Q(
                                        ("decided_by__isnull", False),
                                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="a_transfer_takes_the_investors_yes_or_a_second_person",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("basis", ""), _negated=True),
                                name="a_transfer_says_how_it_was_asked_for",
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]
