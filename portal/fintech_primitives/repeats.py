"""Which writes may be sent once more after a 401: the written table. What is not in it is looked up first.

FP documents a 401 as its gate's word about the token, and a gate that refuses lets nothing through. No document
promises that a 401 never comes from behind the gate, after the effect. So with the fresh token we repeat at once only
what cannot have a second effect; of the others the outcome is unknown, and whoever sent them looks before sending
again. Tokens are renewed at four fifths of their life, so a 401 is rare.

call                                     twice is once because                               source
POST  .../orders/purchase/*, sell,       every line carries our `source_ref_id`; FP          document, Orders;
      sell/instant, sips                 refuses a second ("should be unique")               providers.md 3.4
PATCH .../orders/sips/*                  `mandate_id`, or `deactivate`: sets a state         document, SIP
POST, PATCH /kyc_requests/*              sets the fields that it names                       document, KYC Requests
POST  .../simulate/* with a status       sets a state (sandbox of FP only)                   document, Simulation

Not in it: investors (an update adds its bank accounts without `id` anew), investment accounts, mandates and their
authorisation, payments, new KYC requests, files and file operations, the stand-alone instant redemption (no reference),
`cancel_next_installment` and `generate_next_installment` (twice is two instalments).
"""

from __future__ import annotations

import re
from typing import Any

from portal.gateway.transport import Request

_LINES = re.compile(r"/orders/(purchase/(netbanking|nach)|sell|sell/instant|sips)$")
_PLAN = re.compile(r"/orders/sips/[^/]+$")
_KYC_REQUEST = re.compile(r"/kyc_requests/[^/]+(/simulate)?$")
_SIMULATED = re.compile(r"/simulate/(orders|payments|mandates)/[^/]+$")


def may_follow_a_401(request: Request) -> bool:
    """Can this write have no second effect?"""
    said = request.json if isinstance(request.json, dict) else {}
    if request.method == "PATCH" and _PLAN.search(request.path):
        return "mandate_id" in said.get("data", {}) or said.get("operation") == "deactivate"
    if request.method == "POST" and _LINES.search(request.path):
        return _all_have_references(said)
    return bool(_KYC_REQUEST.search(request.path) or _SIMULATED.search(request.path))


def _all_have_references(said: dict[str, Any]) -> bool:
    lines = said.get("orders", [said])
    return bool(lines) and all(line.get("source_ref_id") for line in lines)
