"""What a journey does on a page, in the words of the page."""

from __future__ import annotations

import re

from tests.journeys.eyes import Eyes


class Hands:
    """The mouse."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes, self.page = eyes, eyes.page

    def write(self, **values: str) -> None:
        """Type into fields by their names."""
        self.eyes.write(**values)

    def tick(self, **values: str) -> None:
        """Choose radio buttons by name and value."""
        for name, value in values.items():
            self.page.locator(f"[name={name}][value='{value}']").check()

    def pick(self, **labels: str) -> None:
        """Choose from lists that drop down, by the words that are shown."""
        for name, label in labels.items():
            self.page.locator(f"[name={name}]").select_option(label=label)

    def agree(self) -> None:
        """Tick every declaration."""
        for box in self.page.locator("main form [type=checkbox]").all():
            box.check()

    def press(self, name: str) -> None:
        """Press the button or link of that name in the page's own part."""
        self.eyes.press(re.compile(f"^{re.escape(name)}"), inside=self.page.locator("main"))

    def look(self, name: str, *, dark: bool = False) -> None:
        """Pictures at both widths; see Eyes."""
        self.eyes.look(name, dark=dark)
