"""What a key may do: one scope per resource and verb."""

from __future__ import annotations

SCOPES: dict[str, str] = {
    "investors:read": "Read the investors whom you brought, their KYC and where their application stands",
    "investors:write": "Invite people, send an invitation again, withdraw it",
    "banks:read": "Read bank accounts, numbers masked",
    "mandates:read": "Read mandates",
    "files:read": "Read which papers an investor has sent; never their contents",
    "schemes:read": "Read schemes and NAVs",
    "orders:read": "Read orders",
    "sips:read": "Read SIPs and their instalments",
    "payments:read": "Read payments",
    "holdings:read": "Read holdings and transactions",
    "baskets:read": "Read published baskets, with links to invest in them",
    "basket_orders:read": "Read basket orders and their lines",
    "approvals:read": "Read what you asked investors to approve",
    "approvals:write": "Ask an investor to approve purchases, sales and SIPs; remind and withdraw",
    "events:read": "Read the feed of events",
}
