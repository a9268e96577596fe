"""What brokers empty when somebody is forgotten: the way into the account and its names. The orders stay."""

from __future__ import annotations

from brokers.models import BrokerAccount, OmexEvent
from investors.models import Investor
from investors.operations import erasure


def erase(investor: Investor) -> dict[str, int]:
    """The accounts are unlinked and lead nowhere."""
    mine = BrokerAccount.objects.filter(investor=investor)
    for account in mine:
        account.account_ref, account.label = f"erased:{account.code}", ""
        account.session = account.session_expires_at = None
        account.unlinked_at = account.unlinked_at or account.linked_at
        account.save()
    BrokerAccount.pgh_event_model.objects.filter(investor_id=investor.pk).delete()  # type: ignore[attr-defined]
    OmexEvent.objects.filter(investor=investor).update(account_ref="")
    return {"broker accounts": len(mine)}


erasure.register(erase)
