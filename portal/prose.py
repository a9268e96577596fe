"""Text that staff write for investors, as paragraphs and lists: no markup of theirs is ever more than text.

A blank line begins a paragraph. Lines that begin with `- ` are a list, those that begin with `1. ` a numbered one.
"""

from __future__ import annotations

import re
from itertools import groupby

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HELP = "A blank line begins a paragraph. Lines that begin with “- ” or with “1. ” become a list."
_BREAK = SafeString("<br>")
_MARK = re.compile(r"\s*(?:(?P<ul>[-*•])|(?P<ol>\d{1,2})[.)])\s+(?=\S)")


def html(text: str) -> SafeString:
    """The text as HTML; everything in it is escaped."""
    blocks = filter(None, re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()))
    parts = [_part(kind, list(lines)) for block in blocks for kind, lines in groupby(block.split("\n"), key=_kind)]
    return format_html_join("\n", "{}", ((part,) for part in parts))


def _kind(line: str) -> str:
    found = _MARK.match(line)
    return (found.lastgroup or "") if found else "p"


def _part(kind: str, lines: list[str]) -> SafeString:
    if kind == "p":
        return format_html("<p>{}</p>", format_html_join(_BREAK, "{}", ((each,) for each in lines)))
    items = format_html_join("", "<li>{}</li>", ((_MARK.sub("", each, count=1),) for each in lines))
    if kind == "ul":
        return format_html("<ul>{}</ul>", items)
    # A list that something stands in the middle of goes on with the number that was typed.
    return format_html('<ol start="{}">{}</ol>', _number(lines[0]), items)


def _number(line: str) -> int:
    found = _MARK.match(line)
    return int(found["ol"]) if found else 1
