"""Doorbells of brokers: verified, stored once, answered; worked later by a fetch."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from brokers.models import BrokerOrderRef
from brokers.odin import events as odin_events
from brokers.odin.messages import Event
from brokers.operations import linking
from brokers.smallcase import events as smallcase_events
from brokers.smallcase.auth import NotGenuine
from portal import clock, identifiers, inbox
from portal.access import DOORBELL, access
from portal.scope import ALL, scope

log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
@access(DOORBELL)
def smallcase(request: HttpRequest) -> HttpResponse:
    """smallcase's notice. One with a wrong checksum, or too old, is refused; a repeated one is answered and counted."""
    at = clock.now()
    try:
        notice = smallcase_events.read_webhook(request.body, settings.SMALLCASE_API_SECRETS, at)
    except NotGenuine as refusal:
        log.warning("notice_refused", provider="smallcase", why=str(refusal))
        return HttpResponse(str(refusal), status=401, content_type="text/plain")
    inbox.ring(
        provider="smallcase",
        kind="notice",
        body=notice.said,
        subject=("orders.basketorder", notice.transaction_id),
        key=notice.key,
        at=at,
    )
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
@access(DOORBELL)
def odin_two_way(request: HttpRequest) -> HttpResponse:
    """ODIN asks whether the two-way token of a login is ours. The answer says only that (providers.md 2.4)."""
    try:
        genuine = linking.asked(broker="odin", state=odin_events.read_two_way_question(request.body), at=clock.now())
    except odin_events.Unreadable:
        genuine = False
    if not genuine:
        log.warning("login_of_nobody_here", provider="odin")
    return JsonResponse(odin_events.two_way_answer(genuine, identifiers.new_client_ref()))


@csrf_exempt
@require_POST
@access(DOORBELL)
def odin(request: HttpRequest) -> HttpResponse:
    """OMEX's notices, which nobody signs: one about a basket of ours rings, whatever else it says is not believed.

    What names no reference that we handed out is answered, logged and dropped, so that nobody fills the inbox.
    """
    at = clock.now()
    try:
        heard = odin_events.read_omex(request.body)
    except odin_events.Unreadable as refusal:
        log.warning("notice_refused", provider="odin", why="no OMEX message")
        return HttpResponse(str(refusal), status=400, content_type="text/plain")
    with scope(ALL):
        refs = {each.reco_id for each in heard}
        ours = dict(BrokerOrderRef.objects.filter(broker="odin", ref__in=refs).values_list("ref", "basket_order_id"))
    for each in heard:
        if each.reco_id in ours:
            _ring_odin(each, ours[each.reco_id], at)
        else:
            log.warning("omex_notice_of_no_basket_of_ours", kind=each.message_type)
    return HttpResponse(status=204)


def _ring_odin(heard: Event, order_id: int, at: datetime) -> None:
    body = {"kind": heard.message_type, "sequence": heard.message_sequence_number, "order": heard.order_key}
    inbox.ring(provider="odin", kind="notice", body=body, subject=("orders.basketorder", str(order_id)), at=at)
