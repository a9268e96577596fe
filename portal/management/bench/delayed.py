"""A provider that takes its time: one recorded answer to every call, always so long after it.

It is one thread that only waits. A sandbox with fifty threads of its own could not, beside the fifty that are
measured on the same two cores.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from portal.management.bench import load
from portal.management.bench.servers import free_port, wait_for

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)


@contextmanager
def provider(port: int, request: bytes, latency_s: float) -> Iterator[str]:
    """Inside the block a server at the address it yields answers as the one at `port` answers `request`, but later."""
    status, head, body = load.Connection(port).ask(request)
    if status != 200:
        raise RuntimeError(f"{status} {body[:200]!r}")
    here = free_port()
    words = [sys.executable, "-m", __name__, str(here), str(latency_s)]
    with tempfile.TemporaryFile() as answer:
        answer.write(head + b"\r\n\r\n" + body)
        answer.seek(0)
        child = subprocess.Popen(words, stdin=answer, cwd=settings.BASE_DIR)
        try:
            wait_for(child, here, "/")
            yield f"http://127.0.0.1:{here}"
        finally:
            child.terminate()
            child.wait()


async def _serve(port: int, latency_s: float, answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                found = LENGTH.search(await reader.readuntil(b"\r\n\r\n"))
                await reader.readexactly(int(found[1]) if found else 0)
                await asyncio.sleep(latency_s)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]), sys.stdin.buffer.read()))
