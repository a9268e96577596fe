"""What must be true of each template: it parses, names real icons and terms, and obeys the content security policy."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from lucide import IconDoesNotExist

from portal.glossary import GLOSSARY
from portal.templatetags import frame, portal_tags

ROOT = Path(settings.BASE_DIR) / "templates"
# The admin is Unfold's; it has a policy of its own.
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in sorted(ROOT.rglob("*.html"))
    if path.relative_to(ROOT).parts[0] != "admin"
}
# Programs that show mail know no style sheet, and the copy of one's data is a file of its own, read without us.
STANDS_ALONE = ("email/", "investors/privacy/copy.html")


def _trouble(name: str) -> str:
    """Why a template cannot be had; empty when it can."""
    try:
        get_template(name)
    except TemplateDoesNotExist as error:
        return f"{name} does not exist: {error}"
    except TemplateSyntaxError as error:
        return f"{name} does not parse: {error}"
    return ""


def test_there_are_templates_to_look_at() -> None:
    assert len(SOURCES) > 200


def test_each_parses() -> None:
    assert [trouble for name in SOURCES if (trouble := _trouble(name))] == []


def _inline(source: str) -> bool:
    tags = " ".join(re.findall(r"<[a-zA-Z][^>]*>", source))
    scripts = re.findall(r"<script\b[^>]*>", source)
    return (
        bool(re.search(r"\s(style|on[a-z]+)\s*=", tags))
        or "<style" in tags
        or any("src=" not in script and 'type="application/json"' not in script for script in scripts)
    )


def test_none_has_an_inline_style_script_or_handler() -> None:
    for spoilt in ("<p onclick='x()'>", "<i style=''>", "<style>", "<script>"):
        assert _inline(spoilt), "the look at templates would miss it"
    shown = {name: source for name, source in SOURCES.items() if not name.startswith(STANDS_ALONE)}
    assert [name for name, source in shown.items() if _inline(source)] == []


def test_none_asks_somebody_else_for_files() -> None:
    foreign = re.compile(r"(src|href)\s*=\s*[\"'](https?:)?//")
    assert [name for name, source in SOURCES.items() if foreign.search(source)] == []


def test_includes_exist() -> None:
    wanted = re.compile(r"{%\s*(?:include|extends)\s+\"([^\"]+)\"")
    named = {(name, found) for name, source in SOURCES.items() for found in wanted.findall(source)}
    assert [f"{name}: {trouble}" for name, found in sorted(named) if (trouble := _trouble(found))] == []


def _is_icon(name: str) -> bool:
    try:
        return bool(portal_tags.icon(name))
    except IconDoesNotExist:
        return False


def test_names_real_icons_and_terms() -> None:
    icon, term = re.compile(r"{%\s*icon\s+\"([^\"]+)\""), re.compile(r"{%\s*glossary\s+\"([^\"]+)\"")
    icons = {(name, found) for name, source in SOURCES.items() for found in icon.findall(source)}
    terms = {(name, found) for name, source in SOURCES.items() for found in term.findall(source)}
    assert [each for each in sorted(icons) if not _is_icon(each[1])] == []
    assert [each for each in sorted(terms) if each[1].lower() not in GLOSSARY] == []


def test_every_state_and_navigation_icon_exists() -> None:
    symbols = [icon for icon, _ in portal_tags.STATES.values()] + [icon for _, icon, _ in frame.NAVIGATION]
    assert all("<svg" in portal_tags.icon(symbol) for symbol in symbols)
