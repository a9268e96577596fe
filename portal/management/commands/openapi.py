"""Write the document of the partner API to docs/openapi.json, where people and programs read it without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from portal import urls  # noqa: F401 - reading the addresses declares the endpoints
from portal.api import schema


class Command(BaseCommand):
    """A test fails when the committed document is not the current one."""

    help = "Write docs/openapi.json."

    def handle(self, *args: Any, **options: Any) -> None:
        """Every app has declared its endpoints by the time the addresses are read."""
        place = Path(settings.BASE_DIR) / "docs" / "openapi.json"
        place.write_text(json.dumps(schema.document(), indent=1, ensure_ascii=False) + "\n")
        self.stdout.write(f"{len(schema.document()['paths'])} addresses")
