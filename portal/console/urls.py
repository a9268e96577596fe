"""Addresses of the console."""

from django.urls import path

from portal.console.views import (
    approvals, asking, earnings, events, firms, investors, keys, overview, transfers, webhooks,
)

app_name = "console"
urlpatterns = [
    path("", overview.home, name="home"),
    path("investors/", investors.listed, name="investors"),
    path("investors/<str:code>/", investors.investor, name="investor"),
    path("investors/<str:code>/ask/", asking.ask, name="investor_ask"),
    path("invite/", investors.invite, name="invite"),
    path("invites/<str:code>/<slug:act>/", investors.invite_act, name="invite_act"),
    path("approvals/", approvals.listed, name="approvals"),
    path("approvals/<str:code>/<slug:verb>/", approvals.act, name="approval_act"),
    path("transfers/", transfers.listed, name="transfers"),
    path("transfers/<str:code>/object/", transfers.object_to, name="transfer_object"),
    path("earnings/", earnings.listed, name="earnings"),
    path("earnings/<str:month>/", earnings.month, name="earnings_month"),
    path("earnings/<str:month>/file/", earnings.file, name="earnings_file"),
    path("earnings/<str:month>/holdings/", earnings.holdings, name="earnings_holdings"),
    path("earnings/<str:month>/holdings/<int:holding_id>/", earnings.holding, name="earnings_holding"),
    path("payouts/", earnings.payouts, name="payouts"),
    path("payouts/<str:code>/", earnings.payout, name="payout"),
    path("firms/", firms.listed, name="firms"),
    path("firms/add/", firms.ask, name="firm_ask"),
    path("firms/<str:code>/withdraw/", firms.withdraw, name="firm_withdraw"),
    path("keys/", keys.listed, name="keys"),
    path("keys/add/", keys.add, name="key_add"),
    path("keys/secret/", keys.secret, name="key_secret"),
    path("keys/<str:key_id>/rotate/", keys.rotate, name="key_rotate"),
    path("keys/<str:key_id>/revoke/", keys.revoke, name="key_revoke"),
    path("webhooks/", webhooks.listed, name="webhooks"),
    path("webhooks/add/", webhooks.add, name="webhook_add"),
    path("webhooks/<str:code>/", webhooks.one, name="webhook"),
    path("webhooks/<str:code>/kinds/", webhooks.kinds, name="webhook_kinds"),
    path("webhooks/<str:code>/secret/", webhooks.secret, name="webhook_secret"),
    path("webhooks/<str:code>/signature/", webhooks.signature, name="webhook_signature"),
    path("webhooks/<str:code>/deliveries/<int:delivery_id>/", webhooks.delivery, name="webhook_delivery"),
    path("webhooks/<str:code>/do/<slug:verb>/", webhooks.act, name="webhook_act"),
    path("events/", events.listed, name="events"),
    path("events/<str:code>/", events.one, name="event"),
]
