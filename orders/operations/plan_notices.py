"""What investors are told about their SIPs by e-mail: it runs, a debit is near, one has failed, it has ended."""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr
from smtplib import SMTPDataError, SMTPRecipientsRefused

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from orders import plan_rules, plan_words
from orders.models import Instalment, Plan
from orders.operations import plan_news
from orders.queries import plans as queries
from portal import audit, money

log = structlog.get_logger(__name__)

# The mail server takes messages, and does not take this one.
UNDELIVERABLE = (SMTPRecipientsRefused, SMTPDataError)
_SUBJECTS = {
    plan_news.BEGAN: "Your SIP is set up",
    plan_news.NOT_BEGUN: "Your SIP was not started",
    plan_news.STRIKE: "A SIP instalment was not debited",
    plan_news.ENDED: "Your SIP has ended",
}


def tell_of_debit(instalment: Instalment, at: datetime) -> None:
    """The notice before a debit has been handed to the mail server. Raises OSError when that is down."""
    plan = instalment.plan
    subject = f"{instalment.on:%-d %b}: {money.rupees(instalment.amount)} for your SIP in {plan.scheme.name}"
    skipped = plan_rules.in_a_row(queries.outcomes(plan), plan_rules.SKIPPED)
    may_skip = not plan_rules.why_no_skip(gateway=plan.gateway, on=instalment.on, skips_in_a_row=skipped, at=at)
    facts = {
        **_facts(plan),
        "on": instalment.on,
        "skip_until": plan_rules.skip_until(instalment.on) if may_skip else None,
        "working_days": plan_rules.ENDS_WITHIN_WORKING_DAYS,
    }
    key = f"pre-debit.{plan.code}.{instalment.on:%Y%m%d}"
    _send(plan, subject, "email/orders_sip_debit.txt", facts, key=key)


def tell(*, plan_id: int, at: datetime) -> bool:
    """The investor has been written to about what the row says they are to be told. Returns whether a message went.

    At least once: the message goes out before the row says so, and what lies between is told again under the same
    Message-ID. Raises OSError while the mail server is down; the row then stays as it is.
    """
    plan = Plan.objects.select_related("scheme", "mandate__bank_account", "investor__user").get(pk=plan_id)
    what = plan.to_tell
    if not what:
        return False
    facts = {**_facts(plan), "failed": what == plan_news.STRIKE, "text": _text(plan, what)}
    key = f"{what}.{plan.code}.{plan.bounces_in_a_row}.{plan.state_since:%Y%m%d}"
    _send(plan, f"{_SUBJECTS[what]}: {plan.scheme.name}", "email/orders_sip.txt", facts, key=key)
    with transaction.atomic():
        if Plan.objects.filter(pk=plan_id, to_tell=what).update(to_tell=""):
            audit.record(plan, "plan.told", actor=None, at=at, what=what)
    return True


def to_tell(limit: int = 500) -> list[int]:
    """Plans whose owners are to be written to: their nudge was lost, or mail was down."""
    return list(Plan.objects.exclude(to_tell="").order_by("pk").values_list("pk", flat=True)[:limit])


def tell_waiting(*, at: datetime) -> None:
    """Everybody who is to be written to has been, but for refused addresses. Raises OSError while mail is down."""
    for plan_id in to_tell():
        try:
            tell(plan_id=plan_id, at=at)
        except UNDELIVERABLE as error:
            log.warning("notice_refused", plan=plan_id, error=type(error).__name__)


def _text(plan: Plan, what: str) -> str:
    if what == plan_news.STRIKE:
        return plan_rules.strikes_in_words(plan.bounces_in_a_row)
    said = plan_words.of(plan)
    return f"{said.title}. {said.text}"


def _send(plan: Plan, subject: str, template: str, facts: dict[str, object], *, key: str) -> None:
    # The same notice, sent again after a crash, has the same identity: mail programs show one.
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    message = EmailMessage(
        subject[:150],
        render_to_string(template, facts),
        settings.DEFAULT_FROM_EMAIL,
        [plan.investor.user.email],
        headers={"Message-ID": f"<{key}@{domain}>"},
    )
    message.send()


def _facts(plan: Plan) -> dict[str, object]:
    return {
        "brand": settings.BRAND,
        "name": plan.investor.name,
        "scheme": plan.scheme.name,
        "amount": money.rupees(plan.amount),
        "bank": str(plan.mandate.bank_account),
        "mandate": plan.mandate.code,
        "umrn": plan.mandate.umrn,
        "code": plan.code,
        "schedule": plan_rules.schedule_in_words(
            day=plan.start_day, first_on=plan.first_on, last_on=plan.last_on, instalments=plan.instalments
        ),
        "link": settings.PUBLIC_URL + reverse("orders:sip", args=[plan.code]),
    }
