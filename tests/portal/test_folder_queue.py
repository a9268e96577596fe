"""The folder queue of laptops: every message arrives once and whole, and no rubbish stops a worker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from kombu import Connection, Queue

from tests import world

WRITERS, MESSAGES = 3, 150
WRITE = """
import sys
from kombu import Connection
from tests.portal.test_folder_queue import connect, put
writer, folder, count = sys.argv[1:]
with connect(folder) as connection:
    for number in range(int(count)):
        put(connection, f"{writer}-{number}")
"""


def connect(folder: Path | str) -> Connection:
    options = {"data_folder_in": f"{folder}/messages", "data_folder_out": f"{folder}/messages"}
    return Connection(
        transport="portal.folder_queue:Transport",
        transport_options={**options, "control_folder": f"{folder}/control", "polling_interval": 0.01},
    )


def put(connection: Connection, body: str) -> None:
    connection.Producer().publish({"body": body}, routing_key="bells", declare=[Queue("bells", routing_key="bells")])


def take(connection: Connection, seconds: float = 0.5) -> list[str]:
    """Everything that arrives until nothing has come for `seconds`."""
    got: list[str] = []

    def hear(body, message):
        got.append(body["body"])
        message.ack()

    with connection.Consumer(Queue("bells", routing_key="bells"), callbacks=[hear]):
        try:
            while True:
                connection.drain_events(timeout=seconds)
        except TimeoutError:
            return got


def test_is_what_the_project_runs_on():
    from portal.celery import app

    with app.connection("filesystem://") as connection:
        assert type(connection.transport).__module__ == "portal.folder_queue"


def test_delivers_in_the_order_of_sending(tmp_path):
    with connect(tmp_path) as connection:
        for number in range(5):
            put(connection, str(number))
        assert take(connection) == ["0", "1", "2", "3", "4"]


def test_delivers_each_message_once_with_many_writers_and_readers(tmp_path):
    got: list[str] = []
    deadline = time.monotonic() + 60

    def reader() -> None:
        with connect(tmp_path) as connection:
            while len(got) < WRITERS * MESSAGES and time.monotonic() < deadline:
                got.extend(take(connection, seconds=0.3))

    readers = [threading.Thread(target=reader) for _ in range(2)]
    for each in readers:
        each.start()
    words = [[sys.executable, "-c", WRITE, str(writer), str(tmp_path), str(MESSAGES)] for writer in range(WRITERS)]
    writers = [subprocess.Popen(each, cwd=world.ROOT, env=dict(os.environ)) for each in words]
    assert [each.wait(60) for each in writers] == [0] * WRITERS
    for each in readers:
        each.join(60)
    wanted = {f"{writer}-{number}" for writer in range(WRITERS) for number in range(MESSAGES)}
    assert Counter(got) == Counter(wanted)
    assert not list((tmp_path / "messages").iterdir())


@pytest.mark.parametrize("rubbish", [b"", b'{"body": ', b"\xff\xfe", b"null"])
def test_drops_what_cannot_be_read_and_goes_on(tmp_path, rubbish):
    with connect(tmp_path) as connection:
        put(connection, "before")
        (tmp_path / "messages" / f"{time.time_ns():020}_x.bells.msg").write_bytes(rubbish)
        put(connection, "after")
        assert take(connection) == ["before", "after"]


def test_survives_a_folder_that_somebody_emptied(tmp_path):
    with connect(tmp_path) as connection:
        put(connection, "lost")
        for path in (tmp_path / "messages").iterdir():
            path.unlink()
        (tmp_path / "messages").rmdir()
        assert take(connection) == []
        put(connection, "heard")
        assert take(connection) == ["heard"]


def test_survives_an_exchange_table_that_is_half_written(tmp_path):
    with connect(tmp_path) as connection:
        put(connection, "one")
        for table in (tmp_path / "control").glob("*.exchange"):
            table.write_text("[[")
    with connect(tmp_path) as connection:
        put(connection, "two")
        assert "two" in take(connection)
