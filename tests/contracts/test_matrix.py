"""The page of the providers: generated, whole, and up to date."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from portal.management import matrix
from tests.contracts import endpoints

PAGE = settings.BASE_DIR / "docs" / "providers.md"


def test_the_page_is_up_to_date():
    call_command("provider_matrix", "--check")


def test_a_page_that_is_out_of_date_is_found(tmp_path, settings):
    """The guard itself, with a folder in which the page says something else."""
    found = matrix.page()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "providers.md").write_text(found.replace("create_purchase", "make_purchase"))
    page, settings.BASE_DIR = matrix.page, tmp_path
    matrix.page = lambda: found
    try:
        with pytest.raises(CommandError, match="out of date"):
            call_command("provider_matrix", "--check")
        call_command("provider_matrix")
        call_command("provider_matrix", "--check")
    finally:
        matrix.page = page


def test_every_endpoint_stands_there_with_a_method_and_a_route():
    text = PAGE.read_text()
    assert "**none**" not in text
    for row in endpoints.ALL:
        assert f"| `{row.name}` | {row.section} | `{row.client}` |" in text


def test_what_the_product_uses_is_found_in_its_source():
    (line,) = (each for each in PAGE.read_text().splitlines() if "| `create_purchase` |" in each)
    assert "orders/gateway.py" in line
