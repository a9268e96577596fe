"""Calls of the docs page as they are typed into a shell: they run as they stand, with ids that the API itself names.

`BEGIN` sets the token, `once` for writes, and `first`, which finds the id of the first object of a list; each call uses
it where an id belongs, so nothing is left to be filled in but the key.
"""

from __future__ import annotations

import json
import re

from portal.api.endpoints import Endpoint

BEGIN = r"""export KEY=... SECRET=...
API={base}
TOKEN=$(curl -s -u "$KEY:$SECRET" -d grant_type=client_credentials $API/token | \
  python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')
call() {{ curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" "$@"; echo; }}
once() {{ call -H "Idempotency-Key: $(python3 -c 'import uuid; print(uuid.uuid4())')" "$@"; }}
first() {{ call "$API/$1" | \
  python3 -c 'import json,sys; rows = json.load(sys.stdin)["data"]; print(rows[0]["id"] if rows else "none")'; }}
call $API/me"""
# Ids of examples, and the list in which one that exists is found.
_IDS = (
    (re.compile(r"INV-7K3F9QW2M4TX"), "investors"),
    (re.compile(r"BNK-7K3F9QW2M4TX"), "bank-accounts?investor=$(first investors)"),
    (re.compile(r"INF000A01011"), "schemes?purchase_allowed=true&plan=REGULAR"),
    (re.compile(r"quality-ten"), "baskets"),
)


def begin(base: str) -> str:
    """The lines that come before every call."""
    return BEGIN.format(base=base)


def shell(endpoint: Endpoint) -> str:
    """The call of an endpoint, after the lines of `begin`."""
    path = f'"$API/{endpoint.path.replace("<id>", f"$(first {endpoint.app})")}"'
    if endpoint.method == "GET":
        return f"call {path}"
    line = f"once {path}"
    return f"{line} -d @- <<END\n{_body(endpoint)}\nEND" if endpoint.body else f"{line} -X POST"


def _body(endpoint: Endpoint) -> str:
    text = json.dumps(endpoint.example, ensure_ascii=False)
    for sample, where in _IDS:
        text = sample.sub(lambda _, where=where: f'$(first "{where}")', text)  # type: ignore[misc]
    return text
