"""Ids of a page's elements: a label, a script or a screen reader that follows one must find one element."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser


class _Ids(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.update(value for name, value in attrs if name == "id" and value)


def named_twice(html: str) -> list[str]:
    """The ids that more than one element of the page has."""
    page = _Ids()
    page.feed(html)
    return [name for name, times in page.found.items() if times > 1]
