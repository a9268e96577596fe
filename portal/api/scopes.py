"""What a key may do: one scope per resource and verb."""

from __future__ import annotations

SCOPES: dict[str, str] = {
    "investors:read": "Read the investors whom you brought, their KYC and where their application stands",
    "investors:write": "Invite people, send an invitation again, withdraw it",
    "kyc:write": "Have the KYC registries asked about an investor, and begin a fresh KYC for them to do",
    "banks:read": "Read bank accounts, numbers masked",
    "banks:write": "Ask an investor to add a bank account",
    "mandates:read": "Read mandates",
    "mandates:write": "Ask an investor to give a mandate, and to authorise it at the bank",
    "files:read": "Read which papers an investor has sent; never their contents",
    "schemes:read": "Read schemes and NAVs",
    "orders:read": "Read orders",
    "sips:read": "Read SIPs and their instalments",
    "payments:read": "Read payments",
    "payments:write": "Get the page on which an investor pays an order, and tell them",
    "holdings:read": "Read holdings and transactions",
    "earnings:read": "Read what commission your investors bring, your share of it, and payouts",
    "baskets:read": "Read published baskets, with links to invest in them",
    "basket_orders:read": "Read basket orders and their lines",
    "basket_orders:write": "Ask an investor to invest in a basket",
    "approvals:read": "Read what you asked investors to approve",
    "approvals:write": "Ask an investor to approve purchases, sales and SIPs; remind and withdraw",
    "events:read": "Read the feed of events",
    "webhooks:read": "Read webhook endpoints and what was sent to them",
    "webhooks:write": "Set up, change and test webhook endpoints, and have events sent again",
}
