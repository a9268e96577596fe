"""Networks and origins as people type them into a partner's page: checked when they are saved, used when they call."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError


def validate_networks(texts: Iterable[str]) -> None:
    """Each is an address or a network (`192.0.2.0/24`). Raises ValidationError that names the first which is not."""
    for text in texts:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            raise ValidationError(f"{text} is no address or network; write 192.0.2.7 or 192.0.2.0/24.") from None


def validate_origins(texts: Iterable[str]) -> None:
    """Each is a scheme and a host, without a path; plain http for this machine only. Raises ValidationError."""
    for text in texts:
        if not _is_origin(text):
            raise ValidationError(f"{text} is no origin; write it like https://app.partner.example")


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"))
    return safe and bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc


def is_among(address: str | None, networks: Iterable[str]) -> bool:
    """Does the address lie in one of the networks? An empty list lets every address through, a missing one none."""
    allowed = [ipaddress.ip_network(each) for each in networks]
    if not allowed:
        return True
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return any(found in each for each in allowed)
