"""What staff write for investors: paragraphs and lists, and never anybody's markup."""

from __future__ import annotations

import pytest

from portal import prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One.\nTwo.\r\n\r\nThree.", "<p>One.<br>Two.</p>\n<p>Three.</p>"),
        ("We like:\n- cash\n- growth", "<p>We like:</p>\n<ul><li>cash</li><li>growth</li></ul>"),
        ("1. first\n2) second\n\nEnd", '<ol start="1"><li>first</li><li>second</li></ol>\n<p>End</p>'),
        ("1. one\nand why\n2. two", '<ol start="1"><li>one</li></ol>\n<p>and why</p>\n<ol start="2"><li>two</li></ol>'),
        ("-5 % is no list, nor 3.5", "<p>-5 % is no list, nor 3.5</p>"),
        (" ", ""),
    ],
)
def test_paragraphs_and_lists(text: str, shown: str) -> None:
    assert prose.html(text) == shown


def test_markup_is_shown_as_what_was_typed() -> None:
    shown = prose.html("<script>x</script>\n- <img src=x onerror=y> {curly} & co")
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;img src=x onerror=y&gt; {curly} &amp; co" in shown
