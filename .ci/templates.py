"""Every template is formatted the way djade formats it; `python .ci/templates.py --write` formats them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """The exit code of djade."""
    djade = Path(sys.executable).parent / "djade"
    mode = [] if "--write" in sys.argv else ["--check"]
    files = sorted(str(path) for path in (ROOT / "templates").rglob("*.html"))
    return subprocess.run([djade, "--target-version", "5.2", *mode, *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
