"""Every page keeps its visitor here: no way to another site, no script of others, no form of others (P32)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from payments import gateway as payment_gateway
from portal.access import DOORBELL
from portal.management.commands.show_routes import Route, routes
from tests import factories
from tests.element_ids import named_twice
from tests.test_owner_matrix import HERS, OWN, TABLE, World, _form, of_admin, of_partners, world  # noqa: F401 - `world` is a fixture

pytestmark = pytest.mark.django_db
HOST = "testserver"

# --- ways to another site ---------------------------------------------------------------------------------------

EVIL = "evil.example"
SHAPES = """
    //{e} ///{e} ////{e} /\\{e} \\\\{e} \\/{e} /\\/{e} http://{e} https://{e} HTTP://{e} hTtPs://{e} http:{e} http:/{e}
    http:///{e} https:///{e} http:\\\\{e} https:\\{e} //{e}/ //{e}%2f.. //{e}/%2e%2e /%09/{e} /%5c{e} /%2f/{e} //{e}:80
    //{e}%00.{h} http://{h}@{e} http://{h}:x@{e} http://{h}%40{e} //{h}@{e} http://{e}#{h} http://{e}?{h} http://{e}\\@{h}
    http://{e};{h} http://{h}.{e} http://{e}/{h} //{e}//{h}/.. javascript:alert(1) JaVaScRiPt:alert(1) javascript://{h}/%0aalert(1)
    data:text/html,x vbscript:x file:///etc/passwd ftp://{e} ws://{e} blob:http://{e} //0x7f.1 //2130706433 //[::1]
    http://[::ffff:10.0.0.1] //{e}。com //ｅvil.example http://{e}%E3%80%82com
""".split()
PREFIXES = ("", " ", "\t", "\n", "\r\n", "\x00", "\x0b", "\u2028")
SPELLINGS = [prefix + shape.format(e=EVIL, h=HOST) for prefix in PREFIXES for shape in SHAPES]


def leads_to(location: str) -> str:
    """The host to which a browser goes: it drops control characters and takes a backslash for a slash."""
    seen = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    parts = urlsplit(urljoin(f"http://{HOST}/accounts/login/", seen))
    return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def test_there_are_at_least_two_hundred_spellings_that_lead_away() -> None:
    away = [each for each in SPELLINGS if leads_to(each) != HOST]
    assert len(away) >= 200, len(away)


def test_no_spelling_leads_from_signing_in_or_out_to_another_site() -> None:
    person = factories.UserFactory()
    form = {"login": person.email, "password": factories.PASSWORD}
    for spelling in SPELLINGS:
        cache.clear()
        browser = Client()
        answer = browser.post(reverse("account_login"), {**form, "next": spelling})
        assert answer.status_code == 302
        assert leads_to(answer["Location"]) == HOST, ("in", spelling, answer["Location"])
        answer = browser.post(reverse("account_logout"), {"next": spelling})
        assert leads_to(answer["Location"]) == HOST, ("out", spelling, answer["Location"])


def test_no_spelling_is_taken_for_the_page_of_the_bank(settings: Any) -> None:
    settings.PAYMENT_PAGE_ORIGINS = ["https://pay.example"]
    almost = ["https://pay.example.evil.example/", "https://pay.example@evil.example/", "http://pay.example/",
              "https://pay.example:444/", "https://PAY.example.evil/", "//pay.example/", "https:/pay.example/",
              "https://evil.example/https://pay.example", "https://evil.example#https://pay.example"]  # fmt: skip
    for spelling in [*SPELLINGS, *almost]:
        assert not payment_gateway.is_payment_page(spelling), spelling
    assert payment_gateway.is_payment_page("https://pay.example/p?token=1")


# --- what every answer carries ----------------------------------------------------------------------------------

# The data of a chart is JSON, which no browser runs.
INLINE = re.compile(
    rb"<script(?![^>]*\b(?:src=|type=.application/json))[^>]*>|<[^>]+\son[a-z]+\s*=|<[^>]+\sstyle\s*=|<style|javascript:",
    re.I,
)
# A static file of ours, or a button of the sandbox.
PLAIN = ("text/plain", "application/json")


def _addresses(world: World) -> list[tuple[str, str]]:  # noqa: F811
    return [(name, reverse(name, args=[world.ids[each] for each in line.ids])) for name, line in TABLE.items()]


# A page of ours frames what FP sent in place of an address of the bank; the frame itself may do nothing.
FRAMED = {"payments:bank_frame"}


def _complaints(answer: Any, name: str = "") -> list[str]:
    headers, found = answer.headers, []
    policy = headers.get("Content-Security-Policy", "")
    # In the frame no script runs, whatever the page brings (tests/payments/test_bse.py).
    is_sandboxed = name in FRAMED and policy.startswith("sandbox ") and "default-src 'none'" in policy
    if "default-src" not in policy or ("unsafe" in policy and not is_sandboxed):
        found.append(f"policy: {policy}")
    frames = "SAMEORIGIN" if name in FRAMED else "DENY"
    for header, wanted in (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", frames)):
        if headers.get(header) != wanted:
            found.append(f"{header}: {headers.get(header)}")
    if headers.get("Referrer-Policy") not in ("same-origin", "no-referrer"):
        found.append(f"referrer: {headers.get('Referrer-Policy')}")
    if headers.get("Cross-Origin-Opener-Policy") != "same-origin":
        found.append("opener")
    html = headers.get("Content-Type", "").startswith("text/html")
    if html and not is_sandboxed and (inline := INLINE.search(answer.content)):
        found.append(f"inline: {inline[0]!r}")
    if html and (twice := named_twice(answer.content.decode())):
        found.append(f"ids: {twice}")
    return found


def test_every_page_carries_every_header_and_no_inline_script(world: World) -> None:  # noqa: F811
    signed_in = Client(raise_request_exception=False)
    signed_in.force_login(world.asha.user)
    for browser in (Client(raise_request_exception=False), signed_in):
        for name, address in _addresses(world):
            if name == "account_logout":
                continue
            answer = browser.get(address)
            if not answer.streaming:
                assert not _complaints(answer, name), (name, _complaints(answer, name))


def test_no_page_of_a_person_stays_in_a_shared_cache(world: World) -> None:  # noqa: F811
    browser = Client(raise_request_exception=False)
    browser.force_login(world.asha.user)
    for name, address in _addresses(world):
        if TABLE[name].whose not in (OWN, HERS) or name == "account_logout":
            continue
        answer = browser.get(address)
        if answer.status_code == 200:
            kept = answer.headers.get("Cache-Control", "")
            assert "private" in kept or "no-store" in kept, (name, kept)


def test_the_check_of_headers_bites(world: World) -> None:  # noqa: F811
    answer = Client().get(reverse("about"))
    assert not _complaints(answer)
    answer.content = b"<p onclick='x()'>"
    assert _complaints(answer)
    del answer.headers["X-Frame-Options"]
    assert len(_complaints(answer)) == 2


# --- forms of others --------------------------------------------------------------------------------------------


def _takes_posts(route: Route) -> bool:
    # Machines of partners carry a token in each call and no cookie, so nobody can send a form in their name.
    return not of_admin(route) and not of_partners(route) and "POST" in route.methods


def test_a_form_without_our_token_is_refused_everywhere_but_at_the_bells(world: World) -> None:  # noqa: F811
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.force_login(world.asha.user)
    tried = 0
    for route in filter(_takes_posts, routes()):
        address = reverse(route.name, args=[world.ids[each] for each in TABLE[route.name].ids])
        answer = strict.post(address, _form(route.name, world))
        if route.rule != DOORBELL:
            assert answer.status_code == 403, (route.name, answer.status_code)
        tried += 1
    assert tried > 20
