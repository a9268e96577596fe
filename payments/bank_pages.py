"""The page that FP's BSE gateway answers instead of an address: somebody else's markup, which nobody may trust.

It holds one form that leads to the bank. Before it is shown, the form's action must lie at an allow-listed address;
then it is shown in a sandboxed frame in which no script runs, with a button of ours inside its form, because the
script that would have sent it does not run (providers.md 7 #4, reliability.md P32).
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

# The frame's own wall, whatever stands in the page: no script, no image, no other frame, forms to `origins` only. The
# `sandbox` directive holds even if somebody opens the document outside our frame.
POLICY = (
    "sandbox allow-forms allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; frame-ancestors 'self'; form-action {origins}"
)
# Whatever button of theirs is pressed, the bank opens in the whole window: banks refuse to be framed.
WHOLE_WINDOW = '<base target="_top">'
_CLOSINGS = re.compile("</form", re.IGNORECASE)
BUTTON = (
    '<p style="text-align:center"><button type="submit" formtarget="_top" '
    'style="font:600 1rem system-ui;padding:.75rem 1.5rem;border-radius:.5rem;border:0;background:#1f4fd8;color:#fff">'
    "Continue to the bank</button></p>"
)


class _Forms(HTMLParser):
    """Collects what a browser could send from a page: forms, and elements that lead a form elsewhere."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.actions: list[str] = []
        self.methods: list[str] = []
        self.leads_elsewhere = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.actions.append(given.get("action", ""))
            self.methods.append(given.get("method", "get").lower())
        # A base, a refresh or a button's own action would pass by the action that was looked at.
        if tag == "base" or "formaction" in given or given.get("http-equiv", "").lower() == "refresh":
            self.leads_elsewhere = True


def form_action(html: str) -> str:
    """Where the only form of the page leads; empty when it has not exactly one POST form, or leads elsewhere too."""
    found = _Forms()
    found.feed(html)
    found.close()
    if found.methods != ["post"] or found.leads_elsewhere:
        return ""
    return found.actions[0].strip()


def framed(html: str) -> str:
    """The page as the frame shows it: as it came, for the whole window, our button the last thing in its form."""
    # A browser closes a form that is left open at the end of the page.
    at = max((found.start() for found in _CLOSINGS.finditer(html)), default=len(html))
    return WHOLE_WINDOW + html[:at] + BUTTON + html[at:]
