"""Somebody with a browser without JavaScript: signs in, buys, pays, all through real pages."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from tests import factories
from tests.journeys.stack import LiveStack, until
from tests.patience import READ_TIMEOUT_S, Stopwatch

# Alone on its line: six digits for a consent, two groups of four characters for an e-mail address.
_FOLIO = re.compile(r'<select[^>]*name="folio".*?<option[^>]*value="([^"]*)"', re.S)
_CODE = re.compile(r"<p>\s*(\d{6}|[A-Z0-9]{4}-[A-Z0-9]{4})\s*</p>")


class Visitor:
    """A session of one person on the live stack."""

    def __init__(self, stack: LiveStack, email: str) -> None:
        self.stack, self.email = stack, email
        self.http = httpx2.Client(base_url=stack.url, trust_env=False, timeout=READ_TIMEOUT_S, follow_redirects=False)

    def get(self, path: str) -> httpx2.Response:
        """The page; must be there."""
        answer = self.http.get(path)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.headers.get('location', '')}"
        return answer

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """Submit a form with this session's CSRF token."""
        token = self.http.cookies.get("csrftoken", "")
        return self.http.post(path, data={**fields, "csrfmiddlewaretoken": token})

    def log_in(self, password: str = factories.PASSWORD) -> Visitor:
        """Through the login page."""
        self.get("/accounts/login/")
        answer = self.post("/accounts/login/", login=self.email, password=password)
        assert answer.status_code == 302, f"{self.email} cannot sign in: {answer.text[-2000:]}"
        return self

    def code_from_outbox(self, subject: str) -> str:
        """The newest one-time code whose message has this in its subject."""
        return until(lambda: self._newest_code(subject), words=f"no mail about {subject!r} for {self.email}")

    def _newest_code(self, subject: str) -> str:
        page = self.http.get("/outbox/", params={"to": self.email}).text
        for section in page.split("<section")[1:]:
            heading = section.partition("</h2>")[0]
            if subject in heading and (found := _CODE.search(section.partition("outbox-text")[2])):
                return found.group(1)
        return ""

    def begin(self, isin: str, amount: int, method: str = "UPI") -> str:
        """Fill in the amount; returns the address of the confirmation page."""
        form = self.get(f"/funds/{isin}/buy/").text
        # Who holds the fund house already is asked which folio; the page has chosen one.
        folio = {"folio": found.group(1)} if (found := _FOLIO.search(form)) else {}
        answer = self.post(
            f"/funds/{isin}/buy/",
            **folio,
            amount=str(amount),
            payment_method=method,
            bank_account=_value(form, "bank_account"),
            form_ref=_value(form, "form_ref"),
        )
        assert answer.status_code == 302, re.sub(r"<[^>]+>|\s+", " ", answer.text)[-2000:]
        return answer.headers["location"]

    def order(self, isin: str, amount: int) -> Placed:
        """Buy, with the code from the outbox, as far as an order that is on record."""
        address = self.begin(isin, amount)
        self.get(address)
        # The subject names the amount, so that a code of an earlier order is not taken for this one's.
        otp = self.code_from_outbox(f"{amount:,}.00" if amount < 100_000 else "")
        answer = self.post(address, otp=otp)
        assert answer.status_code == 302, re.sub(r"<[^>]+>|\s+", " ", answer.text)[-2000:]
        return Placed(self, answer.headers["location"].strip("/").split("/")[-1])


@dataclass
class Placed:
    """An order that somebody has placed a moment ago."""

    visitor: Visitor
    code: str

    @property
    def stack(self) -> LiveStack:
        """Where it was placed."""
        return self.visitor.stack

    def watch_until(self, state: str, *, within_s: float) -> float:
        """Look at the order's page again and again, as a browser does; seconds until it has ended like this."""
        waited = Stopwatch()
        while (now := self.stack.operation(self.code)["state"]) != state:
            assert waited.seconds() < within_s, f"{self.code} is {now} after {within_s:.0f} s, not {state}"
            self.page()
            time.sleep(1)
        return waited.seconds()

    def page(self) -> str:
        """What the investor reads."""
        return self.visitor.get(f"/orders/{self.code}/").text

    def pay(self) -> None:
        """Press Pay, approve at the bank's page, and let the browser carry the bank's answer back."""
        bank = until(self._bank_address, within_s=30, words="no payment page")
        with httpx2.Client(trust_env=False, timeout=READ_TIMEOUT_S) as browser:
            page = browser.get(bank).text
            fields = {name: _value(page, name) for name in ("payment", "seal")}
            done = browser.post(bank.partition("?")[0], data={**fields, "outcome": "success"}).text
            back = re.search(r'<form[^>]*action="([^"]+)"', done)
            assert back, done[:1500]
            names = re.findall(r'<input[^>]*name="(\w+)"', done)
            answer = browser.post(back.group(1), data={name: _value(done, name) for name in names})
        assert answer.status_code == 303, answer.text[:500]

    def _bank_address(self) -> str:
        self.visitor.get(f"/orders/{self.code}/")
        answer = self.visitor.post(f"/orders/{self.code}/pay/")
        address = answer.headers.get("location", "")
        return address if urlsplit(address).netloc == urlsplit(self.stack.sandbox.url).netloc else ""


def _value(page: str, name: str) -> str:
    """The value of a form's field; of a choice, the chosen one."""
    inputs = [tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag]
    assert inputs, f"no field {name} in {page[:300]}"
    chosen = next((tag for tag in inputs if "checked" in tag), inputs[0])
    found = re.search(r'value="([^"]*)"', chosen)
    return found.group(1) if found else ""
