"""What of the packages' files is served, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    """Leaves out what no page of ours asks for: DRF's browsable API is off, and HTMX is in our own script."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "rest_framework", "django_htmx"]


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Compresses what pages ask for. Names without a hash are there for the error pages, which ask for two of them."""

    def compress_files(self, paths: Iterable[str]) -> Iterator[Any]:
        """Half of the work of a first start."""
        yield from super().compress_files(set(paths) & set(self.hashed_files.values()))
