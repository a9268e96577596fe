"""`python -m portal.sandbox --host 127.0.0.1 --port 8100 --state var/sandbox.sqlite`"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import logging
import os
import sys
import tempfile
from pathlib import Path

from . import notices
from .app import Sandbox
from .server import serve
from .web import Problem
from .world import PACES


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portal.sandbox", description="The providers' world on loopback.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--state", default="var/sandbox.sqlite", help="file of the world; deleting it starts a new one")
    parser.add_argument("--pace", choices=PACES, help="fast: seconds a step; market: real cut-offs (kept in the state)")
    parser.add_argument(
        "--portal", default=os.environ.get("SANDBOX_PORTAL", ""), help="where notices go: http://127.0.0.1:8000"
    )
    parser.add_argument("--i-know", action="store_true", help="allow a host that is not loopback")
    parser.add_argument("--routes", action="store_true", help="list what is played, and end")
    parser.add_argument("--verbose", action="store_true", help="log every call")
    return parser.parse_args()


def print_routes() -> None:
    """`fp GET /api/onb/states`: provider, method, path."""
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder) / "world.sqlite")
        for name, provider in sandbox.providers.items():
            for method, path in provider.routes.all():
                print(name, method, path)
        sandbox.close()


def main() -> int:
    args = arguments()
    if args.routes:
        print_routes()
        return 0
    logging.basicConfig(level=logging.DEBUG if args.verbose else logging.INFO, format="%(asctime)s %(message)s")
    if not is_loopback(args.host) and not args.i_know:
        print(
            f"{args.host} is not loopback: fake money must not be reachable from outside (--i-know to insist)",
            file=sys.stderr,
        )
        return 2
    sandbox = Sandbox(args.state, args.pace)
    if args.portal:
        try:
            notices.set_portal(sandbox.world, args.portal)
        except Problem as problem:
            print(problem.message, file=sys.stderr)
            return 2
    try:
        serve(sandbox, args.host, args.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"port {args.port} is in use: stop what runs there or choose another with --port", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
