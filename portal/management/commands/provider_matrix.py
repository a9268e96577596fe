"""`./run provider_matrix`: write docs/providers.md, the capability matrix of the providers."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.management import matrix


class Command(BaseCommand):
    """Writes the page, or with `--check` says whether it is up to date."""

    help = "Write docs/providers.md: provider x endpoint x client x sandbox x examples x use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """For people, and for the build."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the page is out of date, or where the list of endpoints is not installed."""
        try:
            page = matrix.page()
        except ModuleNotFoundError as error:
            raise CommandError(f"The endpoints are listed in tests/contracts, which is not here: {error}") from error
        path = settings.BASE_DIR / "docs" / "providers.md"
        if not options["check"]:
            path.write_text(page)
            self.stdout.write(f"{path.relative_to(settings.BASE_DIR)} is written")
        elif not path.exists() or path.read_text() != page:
            raise CommandError("docs/providers.md is out of date: ./run provider_matrix")
