"""What people can be told, as data: each app registers its events beside its operations."""

from __future__ import annotations

from dataclasses import dataclass

EMAIL, SMS = "EMAIL", "SMS"
CHANNELS = (EMAIL, SMS)


@dataclass(frozen=True)
class Event:
    """One thing that is told. `title` and `text` are filled with the facts that the teller names (`str.format`)."""

    key: str
    group: str
    # What the preferences page calls it.
    label: str
    title: str
    text: str
    # Where it is sent besides the centre, unless its reader chose otherwise.
    channels: tuple[str, ...] = ()
    # Must be sent by these channels whatever anybody chose: movements of money and units, and what needs an act.
    must: tuple[str, ...] = ()
    # Does it stand on the page of choices? What investors never hear of does not.
    listed: bool = True
    # Staff write it anew each time (`portal/desk/broadcasts.py`). Whoever wants such a one by no channel is not told.
    composed: bool = False
    # What a mail says of the address that it leads to.
    link: str = "See every step, and what to do if anything"


_events: dict[str, Event] = {}


def register(*events: Event) -> None:
    """From now on these can be told. Raises ValueError for a key that is taken."""
    for event in events:
        if event.key in _events:
            raise ValueError(f"{event.key} is told already")
        _events[event.key] = event


def event(key: str) -> Event:
    """The event of a key. Raises KeyError for one that nobody registered."""
    return _events[key]


def has(key: str) -> bool:
    """Can this be told?"""
    return key in _events


def everything() -> list[Event]:
    """All events that one may choose about, by group and in the order of their registration."""
    return sorted((each for each in _events.values() if each.listed), key=lambda each: each.group)
