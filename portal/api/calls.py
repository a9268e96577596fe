"""Calls of the docs page as they are typed into a shell: they run as they stand, with ids that the API itself names.

They speak to a sandbox and to nothing else, so a write may be tried as freely as a read: in live mode the page does not
name this installation, but asks for the address of the reader's own twin. `BEGIN` sets the token, `once` for writes,
which shows the Idempotency-Key that it has made, and `first`, which finds the first object of a list; each call uses it
where an id belongs, so nothing is left to be filled in but the key.
"""

from __future__ import annotations

import json
import re
import shlex

from django.conf import settings

from portal.api.endpoints import Endpoint

BEGIN = r"""export KEY=... SECRET=...
API={base} HOOK={hook}
TOKEN=$(curl -s -u "$KEY:$SECRET" -d grant_type=client_credentials $API/token | \
  python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')
call() {{ curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" "$@"; echo; }}
once() {{ local key=$(python3 -c 'import uuid; print(uuid.uuid4())'); echo "Idempotency-Key: $key" >&2; \
  call -H "Idempotency-Key: $key" "$@"; }}
first() {{ call "$API/$1" | python3 -c 'import json,sys; \
  rows = json.load(sys.stdin)["data"]; print(rows[0][sys.argv[1]] if rows else "none")' "${{2:-id}}"; }}
call $API/me"""
# Whom a write is about: the newest of these, which it finds in the right state.
_READY = {
    "investors": "investors?state=READY",
    "mandates": "mandates?state=AWAITING_INVESTOR",
    "orders": "orders?state=AWAITING_PAYMENT",
}


def _first(where: str, member: str = "") -> str:
    quoted = f'"{where}"' if "$" in where else shlex.quote(where)
    return f"$(first {quoted}{member and f' {member}'})"


# What stands in examples, and what finds the like of it.
_FOUND = {
    "INV-7K3F9QW2M4TX": _first(_READY["investors"]),
    "BNK-7K3F9QW2M4TX": _first(f"bank-accounts?investor={_first(_READY['investors'])}"),
    "INF000A01011": _first("schemes?purchase_allowed=true&plan=REGULAR"),
    "quality-ten": _first("baskets"),
    "evt_3f0c9a5467d977d84731b4cf1cca444a": _first(
        f"webhook-endpoints/{_first('webhook-endpoints')}/deliveries", "event"
    ),
    '"holder_name": "Asha Rao"': f'"holder_name": "{_first(_READY["investors"], "name")}"',
    "https://hooks.example.com/portal": "$HOOK",
}
_SAMPLES = re.compile("|".join(map(re.escape, _FOUND)))


def begin() -> str:
    """The lines that come before every call."""
    here, receiver = f"{settings.PUBLIC_URL}/api/v1", f"{settings.SANDBOX_URL}/partner/hooks/docs"
    return BEGIN.format(base=here if settings.SANDBOX else "...", hook=receiver if settings.SANDBOX else "...")


def shell(endpoint: Endpoint) -> str:
    """The call of an endpoint, after the lines of `begin`."""
    is_read = endpoint.method == "GET"
    those = endpoint.app if is_read else _READY.get(endpoint.app, endpoint.app)
    line = f'{"call" if is_read else "once"} "$API/{endpoint.path.replace("<id>", _first(those))}"'
    if is_read:
        return line
    return f"{line} -d @- <<END\n{_body(endpoint)}\nEND" if endpoint.body else f"{line} -X POST"


def _body(endpoint: Endpoint) -> str:
    text = json.dumps(endpoint.example, ensure_ascii=False)
    return _SAMPLES.sub(lambda sample: _FOUND[sample[0]], text)
