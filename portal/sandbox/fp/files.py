"""Uploaded files, and file operations that read a registrar's feed."""

from __future__ import annotations

import mimetypes
import sqlite3
import uuid
from typing import Any

from ..web import Problem, Request, Response, Upload, json_response
from ..world import World
from . import feeds
from .common import Errors, as_key, body_object, refuse, stamp

MOST_BYTES = 25 * 1024 * 1024
PROCESS_AFTER_S = 1.0


def _document(request: Request, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "object": "file", "id": row["id"], "created_at": stamp(row["created_at"]), "filename": row["filename"],
        "content_type": row["content_type"], "purpose": row["purpose"], "byte_size": row["byte_size"],
        "url": f"{request.base_url}/fp/files/{row['id']}/content",
    }  # fmt: skip


# By the endings alone, whatever the machine's own list says.
ENDINGS = mimetypes.MimeTypes()
UNSAID = ("", "application/octet-stream")
ALIASES = {"image/jpg": "image/jpeg"}


def _content_type(upload: Upload) -> str:
    """As the caller says; where it says nothing, as the file's name ends."""
    if upload.content_type not in UNSAID:
        return ALIASES.get(upload.content_type, upload.content_type)
    return ENDINGS.guess_type(upload.filename)[0] or "application/octet-stream"


# What a paper or a video of a KYC may be (document, "KYC Requests"): formats, and bytes at most.
PAPER = (("image/jpeg", "image/png", "application/pdf"), 5 * 1024 * 1024, "jpg, jpeg, png or pdf", "5 MB")
VIDEO = (("video/mp4",), 12 * 1024 * 1024, "mp4", "12 MB")
FIELDS = "id, filename, content_type, purpose, created_at, length(content) AS byte_size"


def _row(world: World, tenant: str, key: object) -> sqlite3.Row | None:
    return world.one(f"SELECT {FIELDS} FROM fp_files WHERE id = ? AND tenant = ?", as_key(key), tenant)  # noqa: S608


# Files that the document's own examples name, as if somebody had uploaded them.
PRINTED = frozenset(
    """02651d2a-38fc-42a2-8c20-221d10453b3c 1411ff9c-3b68-4c5c-bfe7-46f1a1cdd7f6 2f4d93e0-b700-41b8-b78e-e130224cfb03
    3867a9c6-8a7c-4605-a31d-98367e8972b4 4192de0d-165f-458e-89ec-d4334b370256 434ceed567-53c5-3f68-ba3b-cbdc58526c64
    6d0f4d71-aec3-4be6-8295-630e0fddaef6 71a773fa-134c-4849-891e-df3a2s230f6f 76e18d5f-e84a-478d-a836-4971f38d3814
    771a4d57-5447-4b1e-b4b6-dcb6049bda8c 946848da-50bb-4957-a940-c164c0c71172 beed6916-cec6-4f4f-bcc8-ed4d93b55660
    e17b7wb1-2204-40f2-b4b9-8012c3c36f73""".split()
)


def uploaded(errors: Errors, world: World, tenant: str, where: str, key: object) -> sqlite3.Row | None:
    """The file that `where` names. One that nobody uploaded is a field error; nothing named is none."""
    if key is None:
        return None
    row = _row(world, tenant, key)
    errors.check(row is not None or key in PRINTED, where, "is not an uploaded file")
    return row


def check(errors: Errors, world: World, tenant: str, where: str, key: object, *, video: bool = False) -> None:
    """The file of `where` is uploaded, and what the document says of it."""
    if key is not None and not isinstance(key, str):
        return errors.add(where, "should be the id of a file")
    if row := uploaded(errors, world, tenant, where, key):
        kinds, most, names, size = VIDEO if video else PAPER
        errors.check(row["content_type"] in kinds, where, f"file must be in {names} format")
        errors.check(row["byte_size"] <= most, where, f"file size should not exceed {size}")
    return None


def create(world: World, request: Request) -> Response:
    upload, purpose = request.parts.get("file"), request.parts.get("purpose")
    if not isinstance(upload, Upload):
        raise refuse("file", "is mandatory")
    if not upload.content or len(upload.content) > MOST_BYTES:
        raise refuse("file", f"should have from 1 to {MOST_BYTES} bytes")
    key = str(uuid.uuid4())
    world.insert(
        "fp_files",
        id=key,
        tenant=request.tenant,
        filename=upload.filename or "file",
        content_type=_content_type(upload),
        purpose=purpose if isinstance(purpose, str) else None,
        content=upload.content,
        created_at=world.now(),
    )
    return read(world, request, key)


def read(world: World, request: Request, key: str) -> Response:
    row = _row(world, request.tenant, key)
    if row is None:
        raise Problem(404, "File not found")
    return json_response(_document(request, row))


def content(world: World, request: Request, key: str) -> Response:
    sql = "SELECT content, content_type FROM fp_files WHERE id = ? AND tenant = ?"
    row = world.one(sql, key, request.tenant)
    if row is None:
        raise Problem(404, "File not found")
    return Response(200, row["content"], row["content_type"], {"X-Content-Type-Options": "nosniff"})


def list_all(world: World, request: Request) -> Response:
    sql = f"SELECT {FIELDS} FROM fp_files WHERE tenant = ? ORDER BY created_at DESC LIMIT 1000"  # noqa: S608
    data = [_document(request, row) for row in world.all(sql, request.tenant)]
    return json_response({"object": "list", "data": data})


# -- operations -----------------------------------------------------------------------------------------------------


def _operation(row: sqlite3.Row) -> dict[str, Any]:
    names = ("id", "file", "type", "status", "processed", "failed", "succeeded")
    return {"object": "file_operation", **{name: row[name] for name in names}}


def operate(world: World, request: Request) -> Response:
    given, errors = body_object(request), Errors()
    errors.check(given.get("type") == "transaction_processing", "type", "should be transaction_processing")
    errors.check(_row(world, request.tenant, given.get("file")), "file", "is not an uploaded file")
    errors.stop()
    key = str(uuid.uuid4())
    values = {"tenant": request.tenant, "file": given["file"], "type": given["type"], "status": "pending"}
    with world.transaction():
        world.insert("fp_file_operations", id=key, created_at=world.now(), **values)
        world.schedule(world.now() + PROCESS_AFTER_S, "fp.feed", key)
    return read_operation(world, request, key)


def read_operation(world: World, request: Request, key: str) -> Response:
    row = world.one("SELECT * FROM fp_file_operations WHERE id = ? AND tenant = ?", key, request.tenant)
    if row is None:
        raise Problem(404, "File operation not found")
    return json_response(_operation(row))


def _due_feed(world: World, ref: str, details: dict[str, Any]) -> None:
    row = world.one("SELECT * FROM fp_file_operations WHERE id = ?", ref)
    if row is None:
        return
    raw = world.scalar("SELECT content FROM fp_files WHERE id = ?", row["file"])
    try:
        good, bad = feeds.process(world, row["tenant"], raw)
    except feeds.UnreadableFeed:
        world.update("fp_file_operations", ref, status="failed", processed=0, failed=0, succeeded=0)
        return
    counts = {"processed": good + bad, "failed": bad, "succeeded": good}
    world.update("fp_file_operations", ref, status="processed", **counts)


ROUTES = [
    ("POST", "/files", create),
    ("GET", "/files", list_all),
    ("GET", "/files/{key}", read),
    ("GET", "/files/{key}/content", content),
    ("POST", "/file_operations", operate),
    ("GET", "/file_operations/{key}", read_operation),
]
DUE = {"fp.feed": _due_feed}
