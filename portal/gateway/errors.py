"""Provider trouble, named by what the caller may do next.

    GatewayError
    ├── Unreachable      no byte left this machine            try later; the attempt was never sent
    ├── Throttled        asked to slow down                   wait `retry_after_s`, then try later
    ├── OutcomeUnknown   sent, no usable answer               keep the claim; look up by our reference, then decide
    ├── NotAuthorised    our credentials or the user's        stop; a case, or ask the investor to log in again
    ├── Refused          a business "no" with code and text   final; their text for ops, ours for the investor
    └── Garbled          an answer that cannot be read        a read: leave the state; a write: as OutcomeUnknown

Every error keeps the evidence: provider, method, path, status, and what the provider said (redacted).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FieldError:
    """One complaint of a provider about one field of what we sent."""

    field: str
    message: str


@dataclass
class GatewayError(Exception):
    """Base of provider trouble; catch the leaves."""

    provider: str
    method: str
    path: str
    said: str = ""
    status: int | None = None

    def __str__(self) -> str:
        status = f" {self.status}" if self.status else ""
        return f"{type(self).__name__}: {self.provider} {self.method} {self.path}{status} {self.said}".rstrip()


@dataclass
class Unreachable(GatewayError):
    """Nothing was sent: no address, no connection, no TLS."""


@dataclass
class Throttled(GatewayError):
    """The provider asked us to slow down and took nothing."""

    retry_after_s: float = 5.0


@dataclass
class OutcomeUnknown(GatewayError):
    """Something was sent and no trustworthy answer came back."""


@dataclass
class NotAuthorised(GatewayError):
    """The provider does not accept our credentials or the user's session."""


@dataclass
class Refused(GatewayError):
    """A business refusal that stands in the provider's written table: nothing was done, and asking again is no use."""

    code: str = ""
    fields: tuple[FieldError, ...] = field(default=())

    def complains_about(self, name: str) -> bool:
        """Does the refusal name this field?"""
        return any(each.field.split(".")[-1] == name for each in self.fields)


@dataclass
class Garbled(GatewayError):
    """An answer that cannot be read: HTML, truncated JSON, wrong types. The journal keeps it."""


# A write that ends like this may have taken effect.
IN_DOUBT = (OutcomeUnknown, Garbled)
# A write that ends like this was not taken; it may be tried later, after a look.
NOT_TAKEN = (Unreachable, Throttled)
