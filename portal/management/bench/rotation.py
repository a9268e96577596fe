"""New keys for 100,000 investors, while somebody reads and writes: how long it takes, and how long nobody waits.

There is no limit to set this beside. The row says how many rows a second were renewed; the note how long the slowest
look-up by PAN and the slowest write took meanwhile.
"""

from __future__ import annotations

import threading
import time

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection, transaction

from investors.models import PAN_INDEX, Investor
from portal import encryption
from portal.management import rotation
from portal.management.bench import Row, people
from portal.management.progress import ProgressLine

ROWS = 100_000
BATCH = 500


def run() -> list[Row]:
    """Build, put new keys in front, rotate beside traffic, drop the old keys, look whether all is there."""
    people.build(ROWS, ProgressLine())
    old = settings.FIELD_KEYS, settings.INDEX_KEYS
    new = [Fernet.generate_key().decode()], ["the bench's new key"]
    settings.FIELD_KEYS, settings.INDEX_KEYS = [*new[0], *old[0]], [*new[1], *old[1]]
    try:
        return [_measure(new)]
    finally:
        settings.FIELD_KEYS, settings.INDEX_KEYS = old


def _measure(new: tuple[list[str], list[str]]) -> Row:
    traffic = _Traffic()
    traffic.start()
    began = time.perf_counter()
    done = rotation.run(batch=BATCH, progress=ProgressLine())
    took = time.perf_counter() - began
    traffic.ended.set()
    traffic.join()
    settings.FIELD_KEYS, settings.INDEX_KEYS = new
    lost = sum(people.find(people.pan_of(number)) is None for number in range(0, ROWS, 97))
    renewed = sum(count.renewed for count in done.values())
    return {
        "work": f"new keys for {renewed:,} rows",
        "limit": "",
        "ours": f"{took:.1f} s",
        "ratio": "",
        "target": "nobody waits",
        "verdict": "reached" if not traffic.failed and not lost else "MISSED",
        "note": f"{renewed / took:,.0f} rows a second; meanwhile {traffic.turns:,} look-ups with a write, slowest"
        f" {1000 * traffic.slowest_s:.0f} ms, {traffic.failed} failed; {lost} not found afterwards",
    }


class _Traffic(threading.Thread):
    """Finds somebody by PAN and writes the row, again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended, self.turns, self.failed, self.slowest_s = threading.Event(), 0, 0, 0.0

    def run(self) -> None:
        while not self.ended.is_set():
            began = time.perf_counter()
            self.failed += not _look_up_and_write(people.pan_of(self.turns * 7919 % ROWS))
            self.slowest_s = max(self.slowest_s, time.perf_counter() - began)
            self.turns += 1
        connection.close()


def _look_up_and_write(pan: str) -> bool:
    indexes = encryption.blind_indexes(pan, PAN_INDEX)
    with transaction.atomic():
        found = Investor.objects.select_for_update().filter(pan_index__in=indexes).first()
        if found is None or found.pan != pan:
            return False
        found.save(update_fields=["name"])
    return True
