"""State, money and evidence cannot be typed, added or removed by anybody, a superuser included."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib import admin
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

from orders.models import Holiday
from portal import roles
from portal.admin.base import KeptAdmin, OpsAdmin
from portal.models import AuditEntry
from tests.ops.conftest import PAN

pytestmark = pytest.mark.django_db

FORGED = {"state": "ALLOTTED", "amount": "1.00", "units": "999", "_save": "Save", "is_compliant": "on", "tries": "0"}


def url_of(obj, page, *args):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{page}", args=args)


WHAT = ("investor", "account", "order", "payment", "case", "event", "holding", "kyc", "consent")


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("role", [roles.MAKER, roles.ADMIN, "superuser"])
def test_a_forged_save_changes_nothing(as_role, dev, desk, what, role):
    client = Client()
    client.force_login(dev) if role == "superuser" else None
    client = client if role == "superuser" else as_role(role)
    obj = getattr(desk, what)
    before = model_to_dict(type(obj).objects.get(pk=obj.pk))
    assert client.post(url_of(obj, "change", obj.pk), FORGED).status_code == 403
    assert client.post(url_of(obj, "delete", obj.pk), {"post": "yes"}).status_code == 403
    assert client.post(url_of(obj, "add"), FORGED).status_code == 403
    assert model_to_dict(type(obj).objects.get(pk=obj.pk)) == before


def test_a_forged_list_action_or_list_edit_changes_nothing(dev, desk):
    client = Client()
    client.force_login(dev)
    client.post(
        url_of(desk.order, "changelist"),
        {"action": "delete_selected", "_selected_action": desk.order.pk, "post": "yes"},
    )
    client.post(
        url_of(desk.order, "changelist"),
        {
            "form-TOTAL_FORMS": 1,
            "form-INITIAL_FORMS": 1,
            "form-0-id": desk.order.pk,
            "form-0-state": "ALLOTTED",
            "_save": 1,
        },
    )
    desk.order.refresh_from_db()
    assert desk.order.state == "AWAITING_PAYMENT"


def test_every_page_of_ours_is_read_only_or_audited():
    """A model admin that is neither would be a door that nobody watches."""
    others = [
        model._meta.label for model, page in admin.site._registry.items() if not isinstance(page, OpsAdmin | KeptAdmin)
    ]
    assert others == []


def test_a_viewer_cannot_touch_the_holiday_list(as_role):
    client = as_role(roles.VIEWER)
    assert client.post(reverse("admin:orders_holiday_add"), {"on": "2027-01-15"}).status_code == 403
    assert not Holiday.objects.filter(on=date(2027, 1, 15)).exists()


def test_pausing_a_scheduled_task_is_audited_and_nothing_else_can_be_changed(as_role):
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    rhythm = IntervalSchedule.objects.create(every=5, period="seconds")
    task = PeriodicTask.objects.create(name="a task", task="portal.recover", interval=rhythm)
    client = as_role(roles.ADMIN)
    client.post(
        reverse("admin:django_celery_beat_periodictask_change", args=[task.pk]), {"task": "os.system", "name": "x"}
    )
    task.refresh_from_db()
    assert (task.enabled, task.task, task.name) == (False, "portal.recover", "a task")
    assert AuditEntry.objects.get(action="periodictask.changed").data["enabled"] is False


def _investor_of(row):
    return getattr(row, "investor", row)


def test_search_by_pan_never_puts_the_pan_into_an_address(as_role, desk):
    client = as_role(roles.VIEWER)
    for page in ("orders_mforder", "payments_payment", "investors_investor", "investors_kyccheck", "orders_holding"):
        answer = client.post(reverse(f"admin:{page}_find"), {"q": PAN.lower()}, follow=True)
        address = answer.redirect_chain[-1][0]
        assert PAN not in address.upper()
        # The only match opens the investor's own page.
        found = [answer.context["original"]] if page == "investors_investor" else answer.context["cl"].result_list
        assert {_investor_of(row) for row in found} == {desk.investor}, page
        assert PAN not in answer.content.decode()
        typed = client.get(reverse(f"admin:{page}_changelist"), {"q": PAN})
        assert typed.status_code == 302
        assert PAN not in typed["Location"]


def test_search_by_another_pan_finds_nobody(as_role, desk):
    answer = as_role(roles.VIEWER).post(reverse("admin:orders_mforder_find"), {"q": "CHTPN3751E"}, follow=True)
    assert list(answer.context["cl"].result_list) == []
