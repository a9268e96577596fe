"""Gates per provider, the order-rate breaker, and the gate that closes when an older database comes up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command

from portal import clock, gates
from portal.models import Case, Gate, GatewayCall, Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _there(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    gates.ensure()


def close(name: str) -> None:
    gates.turn(name=name, closed=True, reason="drill", actor="test", at=clock.now())


def test_one_providers_gate_stops_that_provider_only():
    close(gates.of("5paisa"))
    gates.check()
    with pytest.raises(gates.GateClosed):
        gates.check("5paisa")
    close(gates.OUTBOUND_MONEY)
    with pytest.raises(gates.GateClosed):
        gates.check()


def test_the_command_turns_one_gate_and_names_what_is_closed(capsys):
    call_command("kill_switch", "on", gate="money_fp", reason="drill")
    assert "gate money_fp is closed" in capsys.readouterr().out
    call_command("kill_switch", "off", gate="money_fp")
    assert "OFF" in capsys.readouterr().out


def calls(count: int, *, kind: str = "orders.mforder", provider: str = "fp") -> None:
    GatewayCall.objects.bulk_create(
        GatewayCall(
            provider=provider, method="POST", path="/x", subject_kind=kind, outcome="OK", started_at=clock.now()
        )
        for _ in range(count)
    )


def test_the_order_rate_breaker_closes_the_gate_of_one_provider_and_opens_a_case(settings):
    settings.MONEY_CALLS_PER_MINUTE = 20
    Gate.objects.update(changed_at=clock.now() - timedelta(hours=1))
    calls(20)
    calls(50, kind="investors.investor")
    assert gates.watch_rate(clock.now()) == [], "20 are usual, and people are no money"
    calls(1)
    assert gates.watch_rate(clock.now()) == ["fp"]
    assert gates.watch_rate(clock.now()) == [], "once"
    with pytest.raises(gates.GateClosed):
        gates.check()
    gates.check("5paisa")
    assert Case.objects.get().kind == gates.RATE_CASE


def test_whoever_opens_the_gate_again_is_not_overruled_by_the_same_minute(settings):
    settings.MONEY_CALLS_PER_MINUTE = 1
    Gate.objects.update(changed_at=clock.now() - timedelta(hours=1))
    calls(2)
    gates.watch_rate(clock.now())
    gates.turn(name=gates.of("fp"), closed=False, reason="looked", actor="test", at=clock.now())
    assert gates.watch_rate(clock.now()) == []


def test_an_older_database_moves_no_money_until_everything_was_compared(monkeypatch):
    assert not gates.watch_restore(clock.now())
    monkeypatch.setattr(gates, "_newest", lambda: 999_999)
    gates._remember(1_000_000)
    assert gates.watch_restore(clock.now())
    assert not gates.watch_restore(clock.now()), "said once"
    with pytest.raises(gates.GateClosed):
        gates.check()
    opening = {"name": gates.AFTER_RESTORE, "closed": False, "reason": "compared", "actor": "test"}
    with pytest.raises(gates.NotComparedYet):
        gates.turn(**opening, at=clock.now())
    Heartbeat.objects.update_or_create(name=gates.COMPARED, defaults={"at": clock.now() + timedelta(seconds=1)})
    gates.turn(**opening, at=clock.now())
    gates.check()


def test_a_new_database_is_not_an_old_one():
    gates._remember(1_000_000)
    assert not gates.watch_restore(clock.now())
    assert not gates._mark().exists()


def test_a_mark_that_was_cut_off_while_it_was_written_leaves_the_one_before(monkeypatch):
    gates._remember(41)

    def cut_off(path, text):
        path.open("w").close()
        raise OSError("no space left")

    monkeypatch.setattr(type(gates._mark()), "write_text", cut_off)
    gates._remember(42)
    assert gates._remembered() == 41
