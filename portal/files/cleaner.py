"""Looks at one hostile file and writes a harmless copy: run by `quarantine.py` as a process of its own.

Nothing of the project is imported here: a parser that falls over takes nothing with it. Standard input is one line of
JSON (`name`, `accepts`) and the file; standard output is one line of JSON and the clean copy.

What "harmless" means (promise P29): pictures are decoded and drawn again without metadata; a PDF is drawn page by page
and the drawings are bound anew, so no script, form or attachment can survive; a video keeps its pictures and loses its
metadata. What tries to be two things at once is refused rather than repaired.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import resource
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each kind of file loads its own parser, late
    from PIL import Image
    from pypdfium2 import PdfDocument

MB = 1024 * 1024
MEMORY = 512 * MB
SECONDS = 10
MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
MAX_PAGES = 20
# Points; 200 inches is the largest page that readers agree on.
MAX_PAGE_SIDE = 14_400
DRAWN_SIDE = 2_200
# Enough to read every letter of a card; phones send three times as much.
KEPT_SIDE = 4_000
# FP's limits (given document, "Files" and "KYC requests"): 12 MB for the video, 5 MB for anything else.
LIMITS = {"jpg": 5 * MB, "png": 5 * MB, "pdf": 5 * MB, "mp4": 12 * MB}
EXTENSIONS = {"jpg": "jpg", "jpeg": "jpg", "png": "png", "pdf": "pdf", "mp4": "mp4"}
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "pdf": "application/pdf", "mp4": "video/mp4"}
# A second file inside the first: what browsers, readers and shells would run.
SECOND_FILE = re.compile(rb"<script|<\?php|<html|<!doctype", re.IGNORECASE)
AFTER_THE_END = (b"PK\x03\x04", b"%PDF-", b"\x7fELF", b"MZ\x90", b"Rar!", b"7z\xbc\xaf")
ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToE)(?![A-Za-z])")
HEX_IN_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
OBJECT_STREAM = re.compile(rb"/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)
BRANDS = {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash", b"MSNV"}
BOXES = {
    b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"mfra", b"sidx", b"styp", b"udta", b"meta",
    b"uuid", b"pdin", b"ssix", b"prft", b"emsg",
}  # fmt: skip
ABOUT = {b"udta", b"meta", b"uuid"}


class Unfit(Exception):
    """The file is refused; the text is a key of `quarantine.REASONS`."""


def clean(name: str, accepts: list[str], data: bytes) -> tuple[dict[str, object], bytes]:
    """What the file is, and its harmless copy. Raises Unfit."""
    if not data:
        raise Unfit("empty")
    kind = sniff(data)
    extension = EXTENSIONS.get(name.rpartition(".")[2].lower(), "")
    if kind not in accepts or not extension:
        raise Unfit("kind")
    if kind != extension:
        raise Unfit("extension")
    if len(data) > LIMITS[kind]:
        raise Unfit("large")
    pages, copy = CLEANERS[kind](data)
    if len(copy) > LIMITS[kind]:
        raise Unfit("large")
    return {"kind": kind, "media_type": MEDIA_TYPES[kind], "pages": pages}, copy


def sniff(data: bytes) -> str:
    """The kind by the first bytes, whatever the name says; empty when it is none of ours."""
    starts = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"%PDF-", "pdf"))
    for start, kind in starts:
        if data.startswith(start):
            return kind
    return "mp4" if data[4:8] == b"ftyp" else ""


# --- pictures ---------------------------------------------------------------------------------------------------


def picture(data: bytes) -> tuple[int, bytes]:
    """The same picture, upright, on white, without metadata."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    refuse_two_in_one(data)
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            width, height = image.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise Unfit("pixels")
            if getattr(image, "n_frames", 1) > 1 and image.format == "PNG":
                raise Unfit("moving")
            kind = image.format or "JPEG"
            image.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
            image.load()
            image.thumbnail((KEPT_SIDE, KEPT_SIDE))
            return 1, encode(on_white(ImageOps.exif_transpose(image)), kind)
    except Unfit:
        raise
    except Image.DecompressionBombError:
        raise Unfit("pixels") from None
    except (OSError, ValueError, SyntaxError, struct.error, zlib.error, IndexError):
        raise Unfit("damaged") from None


def on_white(image: Image.Image) -> Image.Image:
    """Flat RGB: a signature drawn on nothing is drawn on white."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    return image if image.mode in ("RGB", "L") else image.convert("RGB")


def encode(image: Image.Image, kind: str) -> bytes:
    """Encoded anew from its pixels alone."""
    from PIL import Image

    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    out = io.BytesIO()
    if kind == "PNG":
        bare.save(out, "PNG", compress_level=6)
    else:
        bare.save(out, "JPEG", quality=88)
    return out.getvalue()


def refuse_two_in_one(data: bytes) -> None:
    """A picture that is also a page, a script, an archive or a PDF. Phones append videos, so any tail alone is fine."""
    end = data.rfind(b"IEND") + 8 if data.startswith(b"\x89PNG") else data.rfind(b"\xff\xd9") + 2
    tail = data[end:]
    if SECOND_FILE.search(data) or b"%PDF-" in data[:1024] or any(mark in tail for mark in AFTER_THE_END):
        raise Unfit("two_in_one")


# --- PDF --------------------------------------------------------------------------------------------------------


def document(data: bytes) -> tuple[int, bytes]:
    """Every page drawn, and the drawings bound into a new PDF."""
    import pypdfium2

    refuse_active(data)
    try:
        opened = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Unfit("locked" if "assword" in str(error) else "damaged") from None
    count = len(opened)
    if not 1 <= count <= MAX_PAGES:
        raise Unfit("pages")
    if opened.get_formtype() in (2, 3) or pypdfium2.raw.FPDFDoc_GetAttachmentCount(opened):  # XFA, attachments
        raise Unfit("active")
    drawings = drawn(opened)
    first, out = next(drawings), io.BytesIO()
    first.save(out, "PDF", resolution=150, save_all=True, append_images=drawings, quality=80)
    return count, out.getvalue()


def drawn(opened: PdfDocument) -> Iterator[Image.Image]:
    """One page after the other as a picture, so that only one is in memory."""
    for page in opened:
        width, height = page.get_size()
        if not (0 < width <= MAX_PAGE_SIDE and 0 < height <= MAX_PAGE_SIDE):
            raise Unfit("pages")
        scale = min(150 / 72, DRAWN_SIDE / max(width, height))
        yield page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")


def refuse_active(data: bytes) -> None:
    """Scripts, launches, attachments, forms that send: also where names are written in hex or packed away."""
    for part in (data, *unpacked(data)):
        if ACTIVE.search(HEX_IN_NAME.sub(lambda match: bytes([int(match[1], 16)]), part)):
            raise Unfit("active")
    if SECOND_FILE.search(data[:1024]) or b"PK\x03\x04" in data[-65_536:]:
        raise Unfit("two_in_one")


def unpacked(data: bytes) -> Iterator[bytes]:
    """Object streams, unpacked up to a bound: objects may hide there."""
    left = 64 * MB
    for match in OBJECT_STREAM.finditer(data):
        try:
            part = zlib.decompressobj().decompress(data[match.end() :], left)
        except zlib.error:
            continue
        left -= len(part)
        if left <= 0:
            raise Unfit("pages")
        yield part


# --- video ------------------------------------------------------------------------------------------------------


def video(data: bytes) -> tuple[int, bytes]:
    """The same video without what it says about place, device and person. Its boxes must fill the file exactly."""
    copy = bytearray(data)
    top = [kind for kind, _, _ in boxes(copy, 0, len(copy))]
    if data[8:12] not in BRANDS:
        raise Unfit("brand")
    if not set(top) <= BOXES or b"moov" not in top or b"mdat" not in top:
        raise Unfit("damaged")
    if SECOND_FILE.search(data[:4096]) or b"%PDF-" in data[:1024]:
        raise Unfit("two_in_one")
    forget(copy, 0, len(copy))
    if b"vide" not in copy:
        raise Unfit("no_picture")
    return 1, bytes(copy)


def boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of the payload, end) of each box. Raises Unfit when sizes do not add up."""
    while start < end:
        if end - start < 8:
            raise Unfit("damaged")
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and end - start >= 16:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        size = size or end - start
        if size < head or start + size > end:
            raise Unfit("damaged")
        yield kind, start + head, start + size
        start += size


def forget(data: bytearray, start: int, end: int, depth: int = 0) -> None:
    """Blank what is about the recording, in place, so that no offset moves."""
    for kind, payload, stop in list(boxes(data, start, end)):
        if kind in ABOUT:
            data[payload - 4 : payload] = b"free"
            data[payload:stop] = bytes(stop - payload)
        elif kind in (b"moov", b"trak", b"moof") and depth < 4:
            forget(data, payload, stop, depth + 1)


CLEANERS: dict[str, Callable[[bytes], tuple[int, bytes]]] = {
    "jpg": picture, "png": picture, "pdf": document, "mp4": video,
}  # fmt: skip


def main() -> None:
    """One file: limits first, then the look."""
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_FSIZE, 0)):
        with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of address space
            resource.setrlimit(what, (most, most))
    asked = json.loads(sys.stdin.buffer.readline())
    copy = b""
    try:
        said, copy = clean(asked["name"], asked["accepts"], sys.stdin.buffer.read())
    except Unfit as reason:
        said = {"refused": str(reason)}
    except MemoryError:
        said = {"refused": "pixels"}
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + copy)


if __name__ == "__main__":
    main()
