"""The committed static build: small, ours alone, and readable in both themes."""

from __future__ import annotations

import gzip
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.template.loader import get_template

STATIC = Path(settings.BASE_DIR) / "static"
DIST = STATIC / "dist"
GROUNDS = ("canvas", "surface")
TEXTS = ("ink", "ink-2", "ink-3", "accent", "gain", "loss", "needs", "done", "failed", "checking", "waiting")
STATES = ("waiting", "needs", "done", "failed", "checking")
PAIRS = [
    *product(TEXTS, GROUNDS),
    *((s, f"{s}-soft") for s in STATES),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
]


def tokens() -> dict[str, tuple[str, str]]:
    text = (STATIC / "src/css/tokens.css").read_text()
    return {m[1]: (m[2], m[3]) for m in re.finditer(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_the_measure_itself_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("text", "ground"), PAIRS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(text: str, ground: str, theme: int) -> None:
    known = tokens()
    assert contrast(known[text][theme], known[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_border_of_a_field_can_be_seen(theme: int) -> None:
    known = tokens()
    assert contrast(known["line-strong"][theme], known["surface"][theme]) >= 3


def packed(*names: str) -> int:
    return sum(len(gzip.compress((DIST / name).read_bytes(), 9)) for name in names)


def test_scripts_and_styles_leave_room_for_the_page_in_the_budget() -> None:
    assert packed("app.css", "app.js") < 70_000  # of 90 kB
    assert packed("app.css", "app.js", "charts.js") < 280_000  # of 300 kB


def test_the_style_sheet_asks_nobody_else() -> None:
    css = (DIST / "app.css").read_text()
    assert {found for found in re.findall(r"url\(\"?([^\")]+)", css) if not found.startswith("data:")} == {
        "./fonts/inter-latin.woff2",
        "./fonts/inter-rupee.woff2",
    }
    assert (DIST / "fonts/inter-rupee.woff2").stat().st_size < 2_000


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((STATIC / "src/package-lock.json").read_text())
    assert all("resolved" not in package for package in lock["packages"].values())


def test_the_page_of_last_resort_finds_its_style_where_names_are_hashed(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    hashed = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
    call_command("collectstatic", interactive=False, verbosity=0)
    assert list(tmp_path.glob("app.*.css")), "names are hashed"
    for name in ("500.html", "400.html"):
        html = get_template(name).render()
        for wanted in re.findall(r'href="/static/([^"]+)"', html):
            assert (tmp_path / wanted).exists(), wanted
    fonts = re.findall(r'url\("?\./(fonts/[^")]+)', (tmp_path / "app.css").read_text())
    assert fonts
    assert all((tmp_path / font).exists() for font in fonts)
