"""A process killer: a piece of work runs in a child of its own, which SIGKILL ends at its n-th I/O call.

An I/O call is a round trip to PostgreSQL (each statement and each commit is one), or a connect, send or receive on a
socket. The child dies before the call, so at n and at n + 1 are the two sides of call n; a send is also torn:
half of the bytes leave, and then it dies. Nothing of the child is cleaned up, as after a power cut.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connections

# Objects of the parent that a child must not clean up.
_kept: list[Any] = []


@dataclass(frozen=True)
class Death:
    """How a child ended: whether it was killed, and if not, with which code."""

    was_killed: bool
    code: int = 0


def calls_of(work: Callable[[], object]) -> list[str]:
    """Run the work in a child to its end; the names of its I/O calls, in their order. Raises AssertionError."""
    reader, writer = os.pipe()

    def tell(names: list[str]) -> None:
        os.write(writer, ",".join(names).encode())

    ended = _in_child(work, kill_at=0, tell=tell)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        names = told.read().decode()
    assert not ended.code, "the work failed without being killed"
    return names.split(",")


def kill(work: Callable[[], object], *, at: int, torn: bool = False) -> Death:
    """Run the work in a child that dies at its I/O call number `at`, counted from one."""
    return _in_child(work, kill_at=at, torn=torn)


def _in_child(
    work: Callable[[], object], *, kill_at: int, torn: bool = False, tell: Callable[[list[str]], None] | None = None
) -> Death:
    def counted() -> None:
        names: list[str] = []
        _count(names, kill_at, torn)
        work()
        if tell:
            tell(names)

    return end_of(begin(counted))


def begin(work: Callable[[], object]) -> int:
    """A child does the work, on lines of its own. Returns its number, for whoever kills it at a moment."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _forget_connections()
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def end_of(child: int) -> Death:
    """Wait for it."""
    _, status = os.waitpid(child, 0)
    return Death(os.WIFSIGNALED(status), os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 0)


def _forget_connections() -> None:
    """The child speaks over lines of its own; those of the parent stay open and unused."""
    from portal.fintech_primitives import client as fp

    for connection in connections.all(initialized_only=True):
        _kept.append(connection.connection)
        connection.connection = None
    _kept.append(fp.client().transport._opened)
    fp.client().transport._opened = None


def _count(names: list[str], kill_at: int, torn: bool) -> None:
    """Each I/O call of this process is counted before it happens; the one that is meant is never made whole."""

    def reached(name: str) -> bool:
        names.append(name)
        return len(names) == kill_at

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def around(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(self: Any, *args: Any, **more: Any) -> Any:
            if reached(name):
                if torn and name == "send":
                    call(self, args[0][: len(args[0]) // 2])
                die()
            return call(self, *args, **more)

        return counted

    psycopg.Connection.wait = around("database", psycopg.Connection.wait)  # type: ignore[method-assign]
    for name, method in (("connect", "connect"), ("send", "sendall"), ("receive", "recv")):
        setattr(socket.socket, method, around(name, getattr(socket.socket, method)))


def points(names: list[str], *, every: int) -> Iterator[tuple[int, bool]]:
    """At which calls to kill: every `every`-th, and in any case around each word with a provider, torn ones too."""
    for number, name in enumerate(names, 1):
        near = "database" not in names[max(0, number - 2) : number + 1] or name != "database"
        if near or number % every == 0:
            yield number, False
        if name == "send":
            yield number, True
    yield len(names) + 1, False
