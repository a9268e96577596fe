"""A real browser that looks closely: pictures at two widths, axe, the console, the policy, what a page weighs.

`look` collects what is wrong instead of stopping at the first, so that one run shows everything; `assert_clean` then
fails with the list. The pictures stay in the artefacts folder.
"""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Locator, Page, Request, Response

from tests import world
from tests.patience import milliseconds

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PICTURES = world.ARTIFACTS / "screenshots"
# Bytes over the wire of HTML, CSS and JS (ui.md, "Budgets").
PLAIN_BYTES, CHART_BYTES = 90_000, 300_000
_WEIGHED = {"Document", "Stylesheet", "Script"}
_WAIT_FOR_HTMX = "() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"


class Eyes:
    """One browser session of one person: `page` is driven by the test, `look` judges what it shows."""

    def __init__(self, browser: Browser, base_url: str, journey: str) -> None:
        self.context = browser.new_context(base_url=base_url, viewport=WIDE, reduced_motion="reduce", locale="en-IN")
        self.page = self.context.new_page()
        self.page.set_default_timeout(milliseconds(90))
        self.base_url = base_url
        self.journey = journey
        self.problems: list[str] = []
        self.weights: dict[str, int] = {}
        self.looks = 0
        self._expected: set[int] = set()
        # Who else may be asked for files: a broker's window, on the one page that has it.
        self.guests: tuple[str, ...] = ()
        self._transferred: dict[str, int] = {}
        self._kinds: dict[str, str] = {}
        # Which loads (of the page and of frames in it) make up the page that is shown, and what they asked for.
        self._loaders: set[str] = set()
        self._own: set[str] = set()
        for old in PICTURES.glob(f"{journey}-*.png"):
            old.unlink()
        self._watch(self.page)

    def close(self) -> None:
        """End the session."""
        self.context.close()

    # --- what the browser itself notices ------------------------------------------------------------------------

    def _watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"script error: {error}"))
        page.on("response", self._response)
        page.on("request", self._request)
        wire = self.context.new_cdp_session(page)
        self._frame = wire.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        wire.send("Network.enable")
        # Every page is weighed as somebody's first page.
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        wire.on("Network.responseReceived", lambda event: self._kinds.update({event["requestId"]: event["type"]}))
        wire.on("Network.requestWillBeSent", self._asked)
        wire.on("Network.loadingFinished", self._arrived)

    def _asked(self, event: dict[str, Any]) -> None:
        loader = event.get("loaderId", "")
        if event["type"] == "Document" and event["requestId"] == loader:
            if event.get("frameId") == self._frame:
                self._transferred.clear()
                self._loaders.clear()
                self._own.clear()
            self._loaders.add(loader)
        # What a page asked for may still arrive when the next page has been asked for: it is not part of that one.
        if loader in self._loaders:
            self._own.add(event["requestId"])

    def _arrived(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._own:
            self._transferred[event["requestId"]] = int(event["encodedDataLength"])

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium repeats every unhappy status in the console; `_response` judges those.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._note(f"console: {message.text[:300]}")

    def _response(self, response: Response) -> None:
        ours = response.url.startswith(self.base_url)
        if ours and response.status >= 400 and response.status not in self._expected:
            self._note(f"{response.status} from {response.url}")

    def _request(self, request: Request) -> None:
        own = request.url.startswith((self.base_url, "data:", "blob:", *self.guests)) or request.is_navigation_request()
        if not own and self.page.url.startswith(self.base_url):
            self._note(f"a request to somebody else: {request.url}")

    def expects(self, *statuses: int) -> None:
        """These statuses are part of what the test shows."""
        self._expected = set(statuses)

    def _note(self, problem: str) -> None:
        where = self.page.url.removeprefix(self.base_url)
        self.problems.append(f"{where}: {problem}")

    # --- looking ------------------------------------------------------------------------------------------------

    def look(self, name: str, *, charts: bool = False, dark: bool = False, ours: bool = True) -> None:
        """Take pictures of the page wide and narrow, and note everything that is wrong with it.

        Pages whose frame is not ours (the admin's theme, the fake bank) are not weighed; axe judges the admin's too.
        """
        self.looks += 1
        self.settle()
        label = f"{self.journey}-{self.looks:02}-{name}"
        if not ours:
            if self.page.url.startswith(f"{self.base_url}/admin/"):
                self._axe(name)
            self._picture(f"{label}-1280")
            return
        self._weigh(name, CHART_BYTES if charts else PLAIN_BYTES)
        self._axe(name)
        self._picture(f"{label}-1280")
        if dark:
            self._in_the_dark(name, label)
        self.page.set_viewport_size(PHONE)
        self.settle()
        self._sideways(name)
        self._picture(f"{label}-360")
        self.page.set_viewport_size(WIDE)

    def _in_the_dark(self, name: str, label: str) -> None:
        self.page.emulate_media(color_scheme="dark")
        self.page.wait_for_timeout(200)  # until every colour has changed
        self._axe(f"{name}, dark")
        self._picture(f"{label}-1280-dark")
        self.page.emulate_media(color_scheme="light")
        self.page.wait_for_timeout(200)

    def settle(self) -> None:
        """Until nothing loads and no fragment is on its way."""
        self.page.wait_for_load_state("load")
        self.page.wait_for_function(_WAIT_FOR_HTMX)

    def _picture(self, label: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.evaluate("() => scrollTo(0, 0)")  # what sticks to the window stands where a reader sees it first
        self.page.screenshot(path=PICTURES / f"{label}.png", full_page=True, animations="disabled")

    def _weigh(self, name: str, budget: int) -> None:
        weight = sum(size for key, size in self._transferred.items() if self._kinds.get(key) in _WEIGHED)
        self.weights[name] = weight
        if not 1_000 < weight <= budget:
            self._note(f"{name} weighs {weight:,} bytes, the budget is {budget:,}")

    def _axe(self, name: str) -> None:
        for violation in Axe().run(self.page).response["violations"]:
            nodes = "; ".join(f"{node['html'][:160]} {_why(node)}" for node in violation["nodes"][:3])
            self._note(f"axe on {name}: {violation['id']}: {violation['help']}: {nodes}")

    def _sideways(self, name: str) -> None:
        # A chart follows the window a moment later.
        for _ in range(10):
            wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide <= 0:
                break
            self.page.wait_for_timeout(100)
        else:
            widest = self.page.evaluate(_WIDEST)
            self._note(f"{name} scrolls sideways by {wide} px at 360 px: {widest}")

    def assert_clean(self) -> None:
        """Raise AssertionError with everything that was noted."""
        assert not self.problems, f"{len(self.problems)} problems:\n" + "\n".join(dict.fromkeys(self.problems))

    # --- doing --------------------------------------------------------------------------------------------------

    def go(self, path: str) -> None:
        """Open a page of the portal."""
        self.page.goto(path)

    def press(self, name: str | re.Pattern[str], *, inside: Locator | None = None) -> None:
        """Click the button or link of that name."""
        where: Any = inside or self.page.locator("body")
        target = where.get_by_role("button", name=name).or_(where.get_by_role("link", name=name))
        target.first.click()

    def write(self, **values: str) -> None:
        """Fill fields by their names."""
        for name, value in values.items():
            self.page.locator(f"[name={name}]").fill(value)

    def sees(self, text: str | re.Pattern[str], *, within_s: float = 40) -> None:
        """Wait until the page shows this."""
        self.page.get_by_text(text).first.wait_for(timeout=milliseconds(within_s))

    def spell(self, **values: str) -> None:
        """Fill fields letter by letter, where the page answers while one types."""
        for name, value in values.items():
            self.page.locator(f"[name={name}]").press_sequentially(value, delay=20)

    def tick(self, target: Locator) -> None:
        """A box, or one of several answers."""
        target.check()

    def choose(self, name: str, value: str) -> None:
        """One of a list that drops down."""
        self.page.locator(f"select[name={name}]").select_option(value)

    def attach(self, name: str, file: FilePayload) -> None:
        """A file."""
        self.page.locator(f"[name={name}]").set_input_files(file)


def _why(node: dict[str, Any]) -> str:
    return " ".join(check["message"] for check in node["any"][:1])


_WIDEST = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 3).map(e => e.tagName + '.' + e.className).join(', ')"""
