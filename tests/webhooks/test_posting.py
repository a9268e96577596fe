"""One try on the network: to real receivers that are good, slow, dead, redirecting, or somewhere inside."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time

import pytest

from portal.webhooks import addresses, posting
from tests.webhooks.receivers import receiver

pytestmark = pytest.mark.django_db
INSIDE = """
    10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 192.0.2.1 198.18.0.1 224.0.0.1 240.0.0.1
    255.255.255.255 :: fe80::1 fc00::1 ff02::1 2001:db8::1
    ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::a00:1 2002:a00:1:: 64:ff9b:1::1
    192.0.0.192 192.0.0.8 192.88.99.1 fec0::1 ::ffff:192.0.0.192 2002:c000:c0:: 64:ff9b::c000:c0 3fff::1 5f00::1
""".split()
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]
PUBLIC = ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"]

NO_ADDRESSES = [
    *"ftp://a.example/ https:///x https:// http://hooks.example.com/ https://user:pass@a.example/".split(),
    *"https://a.example/#x https://a.example:99999/ https://a.example/\\x //a.example javascript:alert(1)".split(),
    "https://ä.example/",
    "https://a.example/a b",
    "https://a.example/\r\nX: y",
    "https://a.example/" + "x" * 500,
]


@pytest.fixture
def quick(monkeypatch):
    """Patience of a test."""
    monkeypatch.setattr(posting, "WHOLE_S", 0.6)


def post(url):
    return posting.post(url, b"{}", {"webhook-id": "evt_1"})


def test_a_good_receiver_gets_the_bytes_and_its_first_words_are_kept():
    with receiver(body=b"x" * 2_000) as good:
        outcome = post(good.url)
    assert (outcome.arrived, outcome.status, outcome.error) == (True, 200, "")
    assert outcome.answer == "x" * posting.FIRST_BYTES
    headers, body = good.heard[0]
    assert body == b"{}"
    assert headers["webhook-id"] == "evt_1"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("drips", [False, True])
def test_a_slow_receiver_is_left_after_the_whole_time_even_when_it_drips(quick, drips):
    with receiver(wait_s=0 if drips else 30, drips=drips) as slow:
        outcome = post(slow.url)
    assert outcome.status is None
    assert "No answer within" in outcome.error
    assert 500 < outcome.took_ms < 5_000


def test_a_body_that_never_ends_takes_nothing_back_from_a_good_status(quick):
    with receiver(headers={"X": "1"}, body=b"") as good:
        good.headers["Content-Encoding"] = "gzip"  # an encoding that was not asked for
        assert post(good.url).arrived


def test_a_dead_receiver_is_an_outcome_and_no_exception():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = post(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (outcome.arrived, outcome.status, outcome.error) == (False, None, "The connection was refused.")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    with receiver() as inside, receiver(status=status, headers={"Location": inside.url}) as redirecting:
        outcome = post(redirecting.url)
        assert inside.heard == []
    assert (outcome.arrived, outcome.status) == (False, status)
    assert "not followed" in outcome.error


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_ever_reachable(address, settings):
    for settings.WEBHOOK_LOOPBACK in (False, True):
        assert not addresses.may_reach(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_is_reachable_in_the_demo_only(address, settings):
    assert addresses.may_reach(ipaddress.ip_address(address))
    settings.WEBHOOK_LOOPBACK = False
    assert not addresses.may_reach(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_open_internet_is_reachable(address):
    assert addresses.may_reach(ipaddress.ip_address(address))


def test_an_address_on_this_machine_is_not_fetched_where_it_is_not_allowed(settings):
    with receiver() as here:
        settings.WEBHOOK_LOOPBACK = False
        for url in (here.url.replace("http:", "https:"), here.url):
            outcome = post(url)
            assert outcome.status is None
        assert here.heard == []


@pytest.mark.parametrize("answers", [["10.0.0.7"], ["93.184.216.34", "169.254.169.254"]])
def test_a_name_that_leads_inside_is_not_connected_to(monkeypatch, answers):
    """A name of the partner's that points to our network, alone or beside a public address."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (each, 443)) for each in answers])
    connected = []
    monkeypatch.setattr(socket, "create_connection", lambda *given: connected.append(given))
    outcome = post("https://hooks.partner.example/")
    assert "inside a private network" in outcome.error
    assert connected == []


def test_a_name_that_changes_its_mind_is_connected_where_it_was_looked_at(monkeypatch):
    """DNS rebinding: public when we look, inside when we would look again. There is no second look."""
    answers = iter(["93.184.216.34", "10.0.0.7"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (next(answers), 443))])
    connected = []

    def refuse(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert post("https://hooks.partner.example/").status is None
    assert connected == [("93.184.216.34", 443)]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_addresses_that_no_webhook_goes_to(url):
    with pytest.raises(addresses.NotAllowed):
        addresses.target(url)
    assert post(url).status is None


def test_an_answer_that_is_no_http_is_an_outcome():
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def answer():
            line, _ = server.accept()
            with line:
                line.recv(4096)
                line.sendall(b"hello\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        outcome = post(f"http://127.0.0.1:{server.getsockname()[1]}/")
    assert (outcome.status, outcome.error) == (None, "The answer was not whole.")


def test_a_receiver_without_a_valid_certificate_is_not_spoken_to(monkeypatch):
    """Plain HTTP behind an https address: the handshake fails, and nothing was sent."""
    with receiver() as plain:
        outcome = post(plain.url.replace("http:", "https:"))
        assert plain.heard == []
    assert outcome.error == "No secure connection could be made."
    assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED == posting._trust().verify_mode


def test_no_thread_and_no_line_is_left_over():
    import threading

    with receiver() as good:
        for _ in range(5):
            post(good.url)
    deadline = time.monotonic() + 5
    while any(isinstance(each, threading.Timer) for each in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(isinstance(each, threading.Timer) for each in threading.enumerate())
