"""The Invest button on a partner's own site: what its token says, and whether it still holds.

    token    signed by us (django.core.signing): partner, origin, basket, its version, and until when
    script   one tag on the partner's page puts our page into a frame there
    frame    server-rendered, without a session, framed by that origin only (CSP frame-ancestors)
    link     the same token as a plain address; both lead to our own page in a window of its own

A token is no secret: it stands on a public page. It shows nothing of anybody and orders nothing; whoever presses the
button signs in here, on a page that nobody may frame. What it is bound to keeps a button from being moved to another
site, from outliving its day, and from being said to be about another basket. It ends with the partner, and when the
origin is taken off the partner's list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing

from orders.queries import baskets
from orders.queries.baskets import Shown
from portal.errors import Failure
from portal.models import Partner
from portal.scope import ALL, scope

SALT = "brokers.embed"
GOOD_FOR = timedelta(days=90)
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?\Z")


class NotGood(Failure):
    """Raised for a button that does not hold (any more); the message is for people."""

    code = "embed_not_good"


@dataclass(frozen=True)
class Embedded:
    """A button that holds: where it stands, and about what."""

    partner: Partner
    origin: str
    shown: Shown
    version_number: int

    @property
    def is_newest(self) -> bool:
        """Is the version that the button was made for still the basket's newest?"""
        return self.shown.version.number == self.version_number


def token(*, partner: Partner, origin: str, slug: str, at: datetime) -> str:
    """A token for a basket, at its newest version, on one of the partner's origins; good for `GOOD_FOR`.

    Raises NotGood for an origin that is not the partner's, or a basket that is not offered.
    """
    shown = baskets.one(slug)
    if shown is None:
        raise NotGood("There is no such basket on offer.")
    _must_be_theirs(partner, origin)
    until = int((at + GOOD_FOR).timestamp())
    said = {"p": partner.code, "o": origin, "b": slug, "v": shown.version.number, "u": until}
    return signing.dumps(said, salt=SALT)


def _must_be_theirs(partner: Partner | None, origin: str) -> Partner:
    # The origin goes into a header: nothing but scheme, host and port may stand in it.
    if partner is None or not partner.is_active or origin not in partner.origins or not ORIGIN.match(origin):
        raise NotGood("This button is no longer in use on the site that shows it.")
    return partner


def read(given: str, *, at: datetime) -> Embedded:
    """What a token is about. Raises NotGood."""
    try:
        said = signing.loads(given, salt=SALT)
    except signing.BadSignature as error:
        raise NotGood("This button was not made by us, or only part of its address arrived.") from error
    if at.timestamp() > said["u"]:
        raise NotGood("This button has expired. Ask whoever runs the site for a new one.")
    # The visitor of a partner's site is nobody here, and may see no partner; what the token names may be looked up.
    with scope(ALL):
        partner = _must_be_theirs(Partner.objects.filter(code=said["p"]).first(), said["o"])
    shown = baskets.one(said["b"])
    if shown is None:
        raise NotGood("This basket is no longer offered.")
    return Embedded(partner, said["o"], shown, said["v"])
