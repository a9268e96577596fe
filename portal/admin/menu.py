"""The admin's side navigation: work first, then people, money, funds, evidence, the machinery."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from portal.models import Case

_BEAT = "django_celery_beat"
# Group -> (words, icon, admin page, query string, permission).
MENU: dict[str, tuple[tuple[str, str, str, str, str], ...]] = {
    "Work": (
        ("Today", "dashboard", "index", "", ""),
        ("Inbox", "all_inbox", "portal_workitem_changelist", "", "portal.view_workitem"),
        ("To approve", "how_to_reg", "portal_workitem_changelist", "source__exact=approval", "portal.view_workitem"),
        ("Cases", "inbox", "portal_case_changelist", "state__exact=OPEN", "portal.view_case"),
        ("Stuck orders", "hourglass_top", "orders_mforder_changelist", "stuck=1", "orders.view_mforder"),
        ("Stuck payments", "hourglass_bottom", "payments_payment_changelist", "stuck=1", "payments.view_payment"),
        ("Bulk acts", "library_add_check", "portal_bulkrun_changelist", "", "portal.view_bulkrun"),
        ("Inbound events", "call_received", "portal_inboundevent_changelist", "", "portal.view_inboundevent"),
    ),
    "People": (
        ("Investors", "person", "investors_investor_changelist", "", "investors.view_investor"),
        ("Applications", "assignment", "investors_application_changelist", "", "investors.view_application"),
        ("Invites", "forward_to_inbox", "investors_invite_changelist", "", "investors.view_invite"),
        ("KYC desk", "assignment_ind", "investors_kycrequest_changelist", "", "investors.view_kycrequest"),
        ("Papers", "folder_shared", "investors_document_changelist", "", "investors.view_document"),
        ("KYC checks", "verified_user", "investors_kyccheck_changelist", "", "investors.view_kyccheck"),
        ("Bank accounts", "account_balance", "investors_bankaccount_changelist", "", "investors.view_bankaccount"),
        ("Mandates", "event_repeat", "investors_mandate_changelist", "", "investors.view_mandate"),
        ("Changes", "published_with_changes", "investors_changerequest_changelist", "", "investors.view_changerequest"),
        ("Consents", "check_circle", "investors_consent_changelist", "", "investors.view_consent"),
        (
            "Possible doubles",
            "group",
            "investors_possibledouble_changelist",
            "state__exact=OPEN",
            "investors.view_possibledouble",
        ),
        ("Merges", "merge", "investors_merge_changelist", "", "investors.view_merge"),
        ("Transfers", "move_up", "investors_transfer_changelist", "", "investors.view_transfer"),
        ("Partners", "handshake", "portal_partner_changelist", "", "portal.view_partner"),
        (
            "Firms asked for",
            "add_business",
            "portal_firmrequest_changelist",
            "state__exact=ASKED",
            "portal.view_firmrequest",
        ),
        ("EUINs", "badge", "portal_euin_changelist", "", "portal.view_euin"),
    ),
    "Orders and payments": (
        ("Orders", "receipt_long", "orders_mforder_changelist", "", "orders.view_mforder"),
        ("SIPs", "calendar_month", "orders_plan_changelist", "state__exact=ACTIVE", "orders.view_plan"),
        ("SIP instalments", "event_upcoming", "orders_instalment_changelist", "", "orders.view_instalment"),
        ("Changes of SIPs", "edit_calendar", "orders_planchange_changelist", "", "orders.view_planchange"),
        ("Payments", "payments", "payments_payment_changelist", "", "payments.view_payment"),
        ("Transactions", "swap_vert", "orders_transaction_changelist", "", "orders.view_transaction"),
        ("Holdings", "donut_small", "orders_holding_changelist", "", "orders.view_holding"),
        ("Folios", "folder", "orders_folio_changelist", "", "orders.view_folio"),
        ("Assets (AUM)", "account_balance_wallet", "orders_holding_assets", "", "orders.view_holding"),
    ),
    "Funds": (
        ("Schemes", "stacked_line_chart", "orders_scheme_changelist", "", "orders.view_scheme"),
        ("Fund houses", "apartment", "orders_fundhouse_changelist", "", "orders.view_fundhouse"),
        ("Files and lists", "sync_alt", "orders_filerun_sources", "", "orders.view_filerun"),
        ("NAV runs", "update", "orders_navrun_changelist", "", "orders.view_navrun"),
        ("Holidays", "event", "orders_holiday_changelist", "", "orders.view_holiday"),
        ("Cut-offs and limits", "tune", "orders_datedrule_changelist", "", "orders.view_datedrule"),
    ),
    "Commission": (
        ("Expected and received", "balance", "orders_commissionrate_compared", "", "orders.view_commissionmonth"),
        ("Rates of fund houses", "percent", "orders_commissionrate_changelist", "", "orders.view_commissionrate"),
        ("Statements", "upload_file", "orders_commissionstatement_changelist", "", "orders.view_commissionstatement"),
        ("Lines of statements", "receipt", "orders_commissionline_changelist", "", "orders.view_commissionline"),
        ("Partners' shares", "pie_chart", "orders_commissionshare_changelist", "", "orders.view_commissionshare"),
        ("Payouts", "outbound", "orders_payout_changelist", "", "orders.view_payout"),
    ),
    "Shares": (
        ("Share orders", "candlestick_chart", "orders_basketorder_changelist", "", "orders.view_basketorder"),
        ("Share by share", "table_rows", "orders_stockorder_changelist", "", "orders.view_stockorder"),
        ("Changes of shares", "edit", "orders_stockchange_changelist", "", "orders.view_stockchange"),
        ("Broker accounts", "link", "brokers_brokeraccount_changelist", "", "brokers.view_brokeraccount"),
        ("News of brokers", "rss_feed", "brokers_newscursor_changelist", "", "brokers.view_newscursor"),
        ("Baskets", "shopping_basket", "orders_basket_changelist", "", "orders.view_basket"),
        ("Basket versions", "layers", "orders_basketversion_changelist", "", "orders.view_basketversion"),
        ("Changes of baskets", "edit_note", "orders_basketchange_changelist", "", "orders.view_basketchange"),
        ("Securities", "domain", "orders_security_changelist", "", "orders.view_security"),
    ),
    "Evidence": (
        ("Audit log", "history", "portal_auditentry_changelist", "", "portal.view_auditentry"),
        ("What people were told", "campaign", "portal_notice_changelist", "", "portal.view_notice"),
        ("Messages sent", "outgoing_mail", "portal_delivery_changelist", "", "portal.view_delivery"),
        ("Provider calls", "forum", "portal_gatewaycall_changelist", "", "portal.view_gatewaycall"),
    ),
    "System": (
        ("Words", "edit_note", "portal_wording_changelist", "", "portal.view_wording"),
        ("Messages to many", "campaign", "portal_broadcast_changelist", "", "portal.view_broadcast"),
        ("Gates", "toggle_on", "portal_gate_changelist", "", "portal.view_gate"),
        ("Users", "group", "portal_user_changelist", "", "portal.view_user"),
        ("Roles", "badge", "auth_group_changelist", "", "auth.view_group"),
        ("Role changes", "how_to_reg", "portal_rolechange_changelist", "", "portal.act_user"),
        ("Email addresses", "mail", "account_emailaddress_changelist", "", "account.view_emailaddress"),
        ("Second factors", "key", "mfa_authenticator_changelist", "", "mfa.view_authenticator"),
        ("Sessions", "devices", "usersessions_usersession_changelist", "", "usersessions.view_usersession"),
        ("Schedule", "schedule", f"{_BEAT}_periodictask_changelist", "", f"{_BEAT}.view_periodictask"),
        ("Proposals", "rule", "portal_proposal_changelist", "", "portal.view_proposal"),
        ("Rules of two persons", "gavel", "portal_secondpersonrule_changelist", "", "portal.view_secondpersonrule"),
        ("Health", "vital_signs", "portal_heartbeat_health", "", "portal.view_heartbeat"),
        ("Heartbeat", "monitor_heart", "portal_heartbeat_changelist", "", "portal.view_heartbeat"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups and entries that this person may open (settings.UNFOLD)."""
    groups = [
        {"title": title, "separator": number > 0, "items": _items(request, entries)}
        for number, (title, entries) in enumerate(MENU.items())
    ]
    return [*(group for group in groups if group["items"]), *_sandbox()]


def _sandbox() -> list[dict[str, Any]]:
    """The sandbox's control room: clock, faults, outcomes, a fresh world, and its scenes for a demo.

    There is none in live mode, and none where a provider is played by anybody but this sandbox.
    """
    room = f"{settings.SANDBOX_URL}/_control/"
    theirs = (not url.startswith(f"{settings.SANDBOX_URL}/") for url in settings.PROVIDER_BASE_URLS.values())
    if not settings.SANDBOX or any(theirs):
        return []
    items = [
        {"title": "Control room", "icon": "science", "link": room, "active": False},
        {"title": "Scenes", "icon": "theaters", "link": f"{room}#scenes", "active": False},
    ]
    return [{"title": "Sandbox", "separator": True, "items": items}]


def _items(request: HttpRequest, entries: tuple[tuple[str, str, str, str, str], ...]) -> list[dict[str, Any]]:
    items = []
    for words, icon, page, query, permission in entries:
        url = _url(page)
        if url is None or (permission and not request.user.has_perm(permission)):
            continue
        item: dict[str, Any] = {"title": words, "icon": icon, "link": f"{url}?{query}" if query else url}
        item["active"] = _is_active(request, url, query)
        if words == "Cases" and (count := _open_cases()):
            item |= {"badge": count, "badge_variant": "warning"}
        items.append(item)
    # A page below a list is an entry of its own: the list is not where one is.
    deepest = max((len(_path(item)) for item in items if item["active"]), default=0)
    return [{**item, "active": item["active"] and len(_path(item)) == deepest} for item in items]


def _path(item: dict[str, Any]) -> str:
    path: str = item["link"].partition("?")[0]
    return path


def _is_active(request: HttpRequest, url: str, query: str) -> bool:
    if "stuck=" in query or request.GET.get("stuck"):
        return request.path == url and ("stuck=" in query) == bool(request.GET.get("stuck"))
    if url == _url("portal_workitem_changelist"):
        approvals = request.GET.get("source__exact") == "approval"
        return request.path.startswith(url) and approvals == bool(query)
    return request.path == url if url == _url("index") else request.path.startswith(url)


def _url(page: str) -> str | None:
    try:
        return reverse(f"admin:{page}")
    except NoReverseMatch:
        return None


def _open_cases() -> str:
    count = Case.objects.filter(state=Case.State.OPEN).order_by()[:100].count()
    return "99+" if count > 99 else str(count) if count else ""


def favicon(request: HttpRequest) -> str:
    """The house's icon."""
    return static("favicon.svg")


def stylesheet(request: HttpRequest) -> str:
    """Our additions to the look of the admin."""
    return static("ops/ops.css")
