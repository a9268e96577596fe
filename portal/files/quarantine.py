"""Starts the cleaner on one uploaded file and says in words what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from portal.errors import InvalidInput

log = structlog.get_logger(__name__)
CLEANER = Path(__file__).with_name("cleaner.py")
TIMEOUT_S = 12.0
# A web process reads no more than this of any upload; the cleaner's own limits per kind are lower.
MAX_BYTES = 12 * 1024 * 1024
PICTURES = ("jpg", "png")
PAPERS = ("jpg", "png", "pdf")
VIDEO = ("mp4",)
NAMES = {"jpg": "JPG", "png": "PNG", "pdf": "PDF", "mp4": "MP4"}

REASONS = {
    "empty": "This file is empty. Please choose another one.",
    "kind": "This kind of file is not accepted here. Please send {accepted}.",
    "extension": "The name of this file says one kind and its content is another. Please save it again as {accepted}.",
    "large": "This file is too large: at most 5 MB, a video at most 12 MB.",
    "pixels": "This picture has too many pixels. Please send one of at most 40 megapixels.",
    "moving": "A moving picture is not accepted. Please send a still one.",
    "damaged": "This file cannot be read. Please save or photograph it again.",
    "two_in_one": "This file holds a second file or a script inside. Please send a plain photo or scan.",
    "active": "This PDF holds a script, a form or an attachment. Please print it to PDF, or send a photo.",
    "locked": "This PDF is locked with a password. Please save it without one.",
    "pages": "This PDF has no pages, too many (20 at most) or pages of an odd size.",
    "brand": "This video is not an MP4. Please record it again here, or save it as MP4.",
    "no_picture": "This video has no pictures in it. Please record it again.",
    "hard": "This file takes too long to read. Please send a smaller or simpler one.",
}


@dataclass(frozen=True)
class CleanFile:
    """A harmless copy. `pages` is 1 for pictures and videos."""

    kind: str
    media_type: str
    pages: int
    content: bytes


def clean(*, field: str, name: str, data: bytes, accepts: tuple[str, ...]) -> CleanFile:
    """The harmless copy of an upload. Raises InvalidInput at `field` with what the person can do about it."""
    if len(data) > MAX_BYTES:
        raise _refusal(field, "large", accepts)
    said, content = _ask_the_cleaner(name, data, accepts)
    if "refused" in said:
        log.info("file_refused", reason=said["refused"], size=len(data))
        raise _refusal(field, str(said["refused"]), accepts)
    return CleanFile(str(said["kind"]), str(said["media_type"]), int(str(said["pages"])), content)


def _ask_the_cleaner(name: str, data: bytes, accepts: tuple[str, ...]) -> tuple[dict[str, object], bytes]:
    question = json.dumps({"name": name[-80:], "accepts": list(accepts)}).encode() + b"\n" + data
    try:
        # -I: neither the environment nor the working directory decides what the child imports.
        ran = subprocess.run(
            [sys.executable, "-I", "-B", str(CLEANER)], input=question, capture_output=True, timeout=TIMEOUT_S, env={}
        )
    except subprocess.TimeoutExpired:
        return {"refused": "hard"}, b""
    head, _, content = ran.stdout.partition(b"\n")
    if ran.returncode or not head:
        log.warning("cleaner_fell_over", code=ran.returncode, said=ran.stderr[-300:].decode("utf-8", "replace"))
        return {"refused": "hard" if ran.returncode < 0 else "damaged"}, b""
    return json.loads(head), content


def _refusal(field: str, reason: str, accepts: tuple[str, ...]) -> InvalidInput:
    accepted = " or ".join(NAMES[kind] for kind in accepts)
    return InvalidInput(field, REASONS[reason].format(accepted=accepted))
