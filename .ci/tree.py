"""What must not stand in the tree: registry addresses, secrets, paths of somebody's machine, forgotten files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST_FILE = 6_000_000
# name -> (pattern, files that may contain it)
FORBIDDEN: dict[str, tuple[str, str]] = {
    "a registry's address": (
        r"https?://[\w.-]*(pypi\.org|pythonhosted\.org|registry\.npmjs\.org|npmmirror|yarnpkg)",
        r"^\.ci/tree\.py$",
    ),
    "an index option in a requirement file": (
        r"^\s*(--(extra-)?index-url|-i|--find-links|--trusted-host)\b.*",
        r"(?<!\.txt)$",
    ),
    "a private key": (r"-----BEGIN [A-Z ]*PRIVATE KEY-----", r"^\.ci/tree\.py$"),
    "a cloud or code-host token": (r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[abp]-[\w-]{20,})\b", r"^$"),
    "a path of somebody's machine": (r"(?<![\w.\"'`])/(home|Users|root|work)/[\w.-]+/", r"^\.ci/tree\.py$"),
    "a conflict marker": (r"^(<<<<<<<|>>>>>>>) ", r"^$"),
}
BINARY = {".woff2", ".gz", ".png", ".jpg", ".ttf", ".ico"}
NEVER = re.compile(r"(^|/)(\.env|uv\.lock|db\.sqlite3|.*\.(pem|key|p12|sqlite|pyc|log))$")


def main() -> int:
    """Prints what is wrong; 1 when anything is."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    wrong = [line for name in listed.decode().split("\0") if name for line in problems(name)]
    print("\n".join(wrong))
    return 1 if wrong else 0


def problems(name: str) -> list[str]:
    """What is wrong with one file of the tree."""
    path = ROOT / name
    if not path.is_file():
        return []
    found = [f"{name}: does not belong into the tree"] if NEVER.search(name) else []
    if path.stat().st_size > LARGEST_FILE:
        found.append(f"{name}: larger than {LARGEST_FILE:,} bytes")
    if path.suffix in BINARY:
        return found
    text = path.read_text("utf-8", "replace")
    for what, (pattern, allowed) in FORBIDDEN.items():
        hit = re.search(pattern, text, re.MULTILINE)
        if hit and not re.search(allowed, name):
            found.append(f"{name}: {what}: {hit[0][:80]}")
    return found


if __name__ == "__main__":
    sys.exit(main())
