"""Steps of a partner's program, written against the generated client alone; run by `test_outside.py` in `.venv/fuzz`.

Prints what the API answered as JSON. It imports nothing of the project.
"""

import json
import os
import sys
import uuid

from partner_client.api.approvals import ask_for_approval, get_approval
from partner_client.api.events import read_events
from partner_client.api.invites import get_invite, invite_investor
from partner_client.api.token import get_token
from partner_client.client import AuthenticatedClient, Client
from partner_client.models import (
    AskForApprovalBody,
    AskForApprovalBodyLinesItem,
    AskForApprovalBodyLinesItemKind,
    GetTokenBody,
    InviteInvestorBody,
)


def signed_in() -> AuthenticatedClient:
    """A client with a token of the key in the environment."""
    form = GetTokenBody("client_credentials", os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    token = get_token.sync(client=Client(base_url=os.environ["API"]), body=form)
    return AuthenticatedClient(base_url=os.environ["API"], token=token.access_token)


def invite(client, email):
    """Somebody is invited."""
    body = InviteInvestorBody(email=email, basis="Asked for it on the phone", name="Hema Menon")
    return invite_investor.sync(client=client, body=body, idempotency_key=uuid.uuid4().hex)


def invite_of(client, **words):
    """What became of the invitation."""
    return get_invite.sync(words["id"], client=client)


def ask(client, investor, scheme, amount):
    """A purchase is asked for."""
    line = AskForApprovalBodyLinesItem(kind=AskForApprovalBodyLinesItemKind.PURCHASE, scheme=scheme, amount=amount)
    body = AskForApprovalBody(reason="Your goal", investor=investor, lines=[line])
    return ask_for_approval.sync(client=client, body=body, idempotency_key=uuid.uuid4().hex)


def approval(client, **words):
    """What became of it."""
    return get_approval.sync(words["id"], client=client)


def events(client):
    """Everything that happened."""
    return read_events.sync(client=client, after="0").data


STEPS = {each.__name__: each for each in (invite, invite_of, ask, approval, events)}

if __name__ == "__main__":
    found = STEPS[sys.argv[1]](signed_in(), **json.loads(sys.argv[2]))
    print(json.dumps([each.to_dict() for each in found] if isinstance(found, list) else found.to_dict()))
