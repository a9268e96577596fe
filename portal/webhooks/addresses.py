"""Where a webhook may go: to the open internet, and nowhere inside.

An address is looked at twice. When it is typed: https, a host, no user or password in it, no fragment. And at each
try, after the name was resolved: every address that the name leads to must be public, and the connection goes to one
of exactly these, so that a name which answers differently the next time (DNS rebinding) leads nowhere else.

On a laptop, `WEBHOOK_LOOPBACK` lets the demo's receivers listen on this machine, by http too; live mode refuses it.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

MOST_CHARACTERS = 500
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Networks that carry an IPv4 address inside an IPv6 one: what counts is where they come out.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What Python of this or that version takes for public and nobody on the internet has: clouds keep their metadata in the
# first (IANA's registries of special-purpose addresses; RFC 6890, 7526, 3879, 8215, 9637).
_NOBODYS = tuple(
    map(ipaddress.ip_network, "192.0.0.0/24 192.88.99.0/24 fec0::/10 64:ff9b:1::/48 3fff::/20 5f00::/16".split())
)


class NotAllowed(Exception):
    """We do not speak to this address; the text says why, in words for a partner."""


@dataclass(frozen=True)
class Target:
    """An address in its parts. `path` carries the query."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def base(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.secure else 80)
        return f"http{'s' if self.secure else ''}://{host}{'' if usual else f':{self.port}'}"


def target(url: str) -> Target:
    """The parts of an address. Raises NotAllowed for one that webhooks never go to, whatever it resolves to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowed("This is not a web address.") from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or len(url) > MOST_CHARACTERS or not url.isascii():
        raise NotAllowed("Give a whole address, like https://hooks.example.com/portal.")
    if parts.scheme == "http" and not (settings.WEBHOOK_LOOPBACK and _is_local_name(host)):
        raise NotAllowed("Webhooks are sent by https only.")
    if "@" in parts.netloc or parts.fragment or any(mark in url for mark in ("\\", " ", "\t", "\r", "\n")):
        raise NotAllowed("The address must not hold a password, a fragment or spaces.")
    if (literal := _literal(host)) and not may_reach(literal):
        raise NotAllowed("This address lies inside a private network.")
    secure = parts.scheme == "https"
    query = f"?{parts.query}" if parts.query else ""
    return Target(secure, host, port or (443 if secure else 80), (parts.path or "/") + query)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def resolved(where: Target) -> str:
    """One IP address of the host. Raises NotAllowed when any of them is not public, OSError when there is none."""
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except UnicodeError as error:
        raise NotAllowed("This is not a web address.") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not may_reach(ipaddress.ip_address(address.partition("%")[0])):
            raise NotAllowed("The name leads to an address inside a private network.")
    if not addresses:
        raise OSError("the name leads nowhere")
    return addresses[0]


def may_reach(address: Address) -> bool:
    """Is this a public address, or this machine where that is allowed?"""
    real = _inner(address)
    if real.is_loopback:
        return bool(settings.WEBHOOK_LOOPBACK)
    if any(real in network for network in _NOBODYS):
        return False
    return real.is_global and not (real.is_multicast or real.is_reserved or real.is_unspecified or real.is_link_local)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo
        inner = address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address


def _is_local_name(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
