"""Each partner's sandbox is an installation of its own (`docs/partner-api.md`): two on one machine share no place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

# Without a database: where it would lie is enough.
SETTINGS = """
import json, pathlib
from portal import embedded
embedded.database_url = lambda folder: f"postgres://{folder}"
from portal import settings
values = [value for name, value in vars(settings).items() if name.isupper()]
print(json.dumps(values, default=lambda value: str(value) if isinstance(value, pathlib.Path) else ""))
"""
PLACE = re.compile(r"127\.0\.0\.1:\d+|postgres://[^\"]+")


def places(folder: Path, number: int) -> set[str]:
    """Every address and every folder for what changes that the settings of an installation name."""
    own = {"VAR_DIR": str(folder), "WEB_PORT": str(8_000 + number), "SANDBOX_PORT": str(8_100 + number)}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPYCACHEPREFIX") if name in os.environ}
    words = [sys.executable, "-c", SETTINGS]
    told = subprocess.run(
        words, capture_output=True, text=True, check=True, cwd=settings.BASE_DIR,
        env=kept | own,
    ).stdout  # fmt: skip
    return {*PLACE.findall(told), *re.findall(rf"{re.escape(str(folder))}[\w./-]*", told)}


def test_two_installations_on_one_machine_share_no_address_and_no_folder(tmp_path):
    north, lotus = (places(tmp_path / name, number) for number, name in enumerate(("north", "lotus"), 1))
    assert len(north) > 8
    assert not north & lotus
