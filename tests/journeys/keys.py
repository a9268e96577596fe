"""A browser of 360 pixels whose person has no mouse: everything is reached by Tab, and done with a key.

Nothing is clicked or filled by the test itself: what cannot be reached, or does not do what its key says, fails.
"""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, FilePayload, Locator

from tests.journeys.eyes import PHONE, WIDE, Eyes

# Further than any page of ours is long.
MOST_TABS = 200
HAS_FOCUS = "e => e === document.activeElement"
IN_GROUP = "e => document.activeElement.type === 'radio' && document.activeElement.name === e.name"

LEADS_ON = "e => !(e.getAttribute('href') || '').endsWith('.pdf') && (e.tagName === 'A' || !!e.form)"


class Keys(Eyes):
    """Eyes on a phone's width, with hands on a keyboard only."""

    def __init__(self, browser: Browser, base_url: str, journey: str) -> None:
        super().__init__(browser, base_url, journey)
        self.page.set_viewport_size(PHONE)
        # While somebody listens, choosers of files are given to the test; switching that on and off for each file
        # loses one now and then.
        self.page.on("filechooser", lambda chooser: None)

    def look(self, name: str, **how: bool) -> None:
        """As ever, wide and narrow; back to the phone afterwards."""
        self.page.set_viewport_size(WIDE)
        super().look(name, **how)
        self.page.set_viewport_size(PHONE)

    # --- hands ------------------------------------------------------------------------------------------------

    def reach(self, target: Locator, *, is_there: str = HAS_FOCUS) -> None:
        """Press Tab until it has the focus."""
        target.wait_for(state="visible")
        for _ in range(MOST_TABS):
            if target.evaluate(is_there):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target} on {self.page.url}")

    def press(self, name: str | re.Pattern[str], *, inside: Locator | None = None) -> None:
        """The button or link of that name, by Enter."""
        where: Any = inside or self.page.locator("main")
        target = where.get_by_role("button", name=name).or_(where.get_by_role("link", name=name)).first
        self.reach(target)
        leads_on = target.evaluate(LEADS_ON)
        self.page.evaluate("() => { window.before = true }")
        self.page.keyboard.press("Enter")
        if leads_on:
            # A click waits for the page that it leads to; a key does not.
            self.page.wait_for_function("() => !window.before")
            self.page.wait_for_load_state("load")

    def write(self, **values: str) -> None:
        """Type into fields by their names, over what stands there. Dates as `1991-02-14`."""
        for name, value in values.items():
            self.type_into(self.page.locator(f"[name={name}]"), value)

    def spell(self, **values: str) -> None:
        """Typing is letter by letter anyway."""
        self.write(**values)

    def type_into(self, field: Locator, value: str) -> None:
        """Reach one field and type."""
        self.reach(field)
        if field.get_attribute("type") == "date":
            year, month, day = value.split("-")
            self.page.keyboard.type(f"{month}{day}{year}")  # the browser of the tests writes dates as in the USA
        else:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(value)
        assert field.input_value() == value, f"typed {value}, the field holds {field.input_value()}"

    def tick(self, target: Locator) -> None:
        """A box by Space, one of several answers by the arrows."""
        if target.get_attribute("type") == "checkbox":
            self.reach(target)
            if not target.is_checked():
                self.page.keyboard.press("Space")
            assert target.is_checked()
            return
        self.reach(target, is_there=IN_GROUP)
        self.page.keyboard.press("Space")
        for _ in range(20):
            if target.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no arrow leads to {target}")

    def choose(self, name: str, value: str) -> None:
        """One of a list that drops down, by typing its words."""
        field = self.page.locator(f"select[name={name}]")
        self.reach(field)
        words = field.locator(f"option[value='{value}']").inner_text()
        self.page.keyboard.type(words)
        assert field.input_value() == value, f"typed {words}, the field holds {field.input_value()}"

    def attach(self, name: str, file: FilePayload) -> None:
        """A file, by the chooser that Space opens."""
        field = self.page.locator(f"[name={name}]")
        self.reach(field)
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Space")
        chooser.value.set_files(file)
