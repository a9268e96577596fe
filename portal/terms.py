"""Which terms of use are in force. Their words stand in `templates/terms.html`: change both together."""

from __future__ import annotations

from datetime import date

IN_FORCE_SINCE = date(2026, 11, 1)
