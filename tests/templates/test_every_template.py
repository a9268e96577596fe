"""What must be true of each template: it parses, names real icons and terms, and obeys the content security policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from lucide import IconDoesNotExist

from portal.glossary import GLOSSARY
from portal.templatetags import frame, portal_tags

ROOT = Path(settings.BASE_DIR) / "templates"
# The admin is Unfold's; it has a policy of its own.
OURS = sorted(p for p in ROOT.rglob("*.html") if p.relative_to(ROOT).parts[0] != "admin")
names = [str(p.relative_to(ROOT)) for p in OURS]


@pytest.fixture(params=OURS, ids=names)
def source(request: pytest.FixtureRequest) -> str:
    return request.param.read_text()


@pytest.mark.parametrize("name", names)
def test_parses(name: str) -> None:
    get_template(name)


# Programs that show mail know no style sheet, and the copy of one's data is a file of its own, read without us.
STANDS_ALONE = ("email/", "investors/privacy/copy.html")


@pytest.mark.parametrize("name", [name for name in names if not name.startswith(STANDS_ALONE)])
def test_has_no_inline_style_script_or_handler(name: str) -> None:
    source = (ROOT / name).read_text()
    tags = " ".join(re.findall(r"<[a-zA-Z][^>]*>", source))
    assert not re.search(r"\sstyle\s*=", tags)
    assert not re.search(r"\son[a-z]+\s*=", tags)
    assert "<style" not in tags
    for script in re.findall(r"<script\b[^>]*>", source):
        assert "src=" in script or 'type="application/json"' in script


def test_asks_nobody_else_for_files(source: str) -> None:
    assert not re.search(r"(src|href)\s*=\s*[\"'](https?:)?//", source)


def test_includes_exist(source: str) -> None:
    for included in re.findall(r"{%\s*(?:include|extends)\s+\"([^\"]+)\"", source):
        get_template(included)


def test_names_real_icons_and_terms(source: str) -> None:
    for icon in re.findall(r"{%\s*icon\s+\"([^\"]+)\"", source):
        try:
            portal_tags.icon(icon)
        except IconDoesNotExist:
            pytest.fail(f"there is no icon {icon}")
    for term in re.findall(r"{%\s*glossary\s+\"([^\"]+)\"", source):
        assert term.lower() in GLOSSARY


def test_every_state_and_navigation_icon_exists() -> None:
    symbols = [icon for icon, _ in portal_tags.STATES.values()] + [icon for _, icon, _ in frame.NAVIGATION]
    assert all("<svg" in portal_tags.icon(symbol) for symbol in symbols)
