"""A queue in a folder for laptops: kombu's filesystem transport, made safe for several processes at once.

kombu writes a message into the file under which a reader already sees it, and a reader that comes too early finds an
empty file and stops the whole worker (seen under load). Here every file appears whole, by a rename, and a reader
claims a message by a rename; whatever cannot be read is dropped. A message is only a bell (see `portal/jobs.py`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """Whole files only."""

    def get_table(self, exchange: str) -> list[Any]:
        """Which queues an exchange feeds."""
        try:
            rows = loads(self._exchange_file(exchange).read_text())
        except (FileNotFoundError, ValueError):
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._alone(exchange):
            rows = self.get_table(exchange)
            if row not in rows:
                self._write_table(exchange, [row, *rows])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._alone(exchange):
            self._write_table(exchange, [each for each in self.get_table(exchange) if each != row])

    def _write_table(self, exchange: str, rows: list[Any]) -> None:
        _write_whole(self._exchange_file(exchange), dumps(rows))

    @contextlib.contextmanager
    def _alone(self, exchange: str) -> Iterator[None]:
        self.control_folder.mkdir(parents=True, exist_ok=True)
        with self._exchange_file(exchange).with_suffix(".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        # Names sort by time; kombu tells the queue by what follows the first dot.
        _write_whole(Path(self.data_folder_out) / f"{time_ns():020}_{uuid.uuid4().hex}.{queue}.msg", dumps(payload))

    def _get(self, queue: str) -> Any:
        for path in self._waiting(queue):
            mine = path.with_name(f"{path.name}.{os.getpid()}.taken")
            try:
                path.rename(mine)
            except OSError:
                continue  # another worker was quicker
            message = _read(mine)
            mine.unlink(missing_ok=True)
            if isinstance(message, dict):
                return message
        raise Empty

    def _waiting(self, queue: str) -> list[Path]:
        suffix = f"{queue}.msg"
        folder = Path(self.data_folder_in)
        try:
            names = sorted(name for name in os.listdir(folder) if name.partition(".")[2] == suffix)
        except FileNotFoundError:
            return []
        return [folder / name for name in names]

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            path.unlink(missing_ok=True)
        return len(waiting)

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))


def _read(path: Path) -> Any:
    """What the file says; None for rubbish."""
    try:
        return loads(path.read_text())
    except (OSError, ValueError):
        return None


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    part.write_text(text)
    part.replace(path)


class Transport(filesystem.Transport):
    """What `filesystem://` means in this project (see `portal/celery.py`)."""

    Channel = Channel
