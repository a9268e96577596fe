"""Uploads, good and hostile, made from scratch: no binary lies in the repository."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image

SCRIPT = b"<script>alert(1)</script>"


def picture(kind: str = "JPEG", size: tuple[int, int] = (640, 400), **save: object) -> bytes:
    """A photo of nothing in particular."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **save)
    return out.getvalue()


def photo_with_place() -> bytes:
    """A JPEG that says where and with what it was taken, lying on its side."""
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = "SpyPhone 9", 6
    exif.get_ifd(0x8825)[1] = "N"
    return picture(size=(600, 200), exif=exif)


def png_bomb(side: int = 9_000) -> bytes:
    """81 megapixels of one colour in a few kilobytes (9,000 x 9,000)."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(1 + side // 8)) for _ in range(side)) + rows.flush()
    return _png(side, side, 1, 0, packed)


def _png(width: int, height: int, depth: int, colour: int, packed: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def pdf(extra: str = "", pages: int = 1, page_size: tuple[int, int] = (200, 200), catalog: str = "") -> bytes:
    """A plain PDF of some pages; `extra` adds an object, `catalog` entries of the catalogue."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    box = f"[0 0 {page_size[0]} {page_size[1]}]"
    objects = [f"<< /Type /Catalog /Pages 2 0 R {catalog} >>", f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>"]
    objects += [f"<< /Type /Page /Parent 2 0 R /MediaBox {box} >>"] * pages + ([extra] if extra else [])
    out, places = io.BytesIO(b""), []
    out.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1"))
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write(b"".join(f"{place:010d} 00000 n \n".encode() for place in places))
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def pdf_with_packed_script() -> bytes:
    """A PDF that hides its script in a compressed object stream."""
    packed = zlib.compress(b"9 0 << /S /JavaScript /JS (app.alert(1)) >>").decode("latin-1")
    return pdf(
        f"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length {len(packed)} >>\nstream\n{packed}\nendstream"
    )


def box(kind: bytes, body: bytes = b"") -> bytes:
    """A box of an MP4."""
    return struct.pack(">I", len(body) + 8) + kind + body


def video(place: bytes = b"\xa9xyz+19.0760+072.8777/", brand: bytes = b"mp42", tail: bytes = b"") -> bytes:
    """The bones of an MP4: a picture track, some data, and where it was taken."""
    handler = box(b"hdlr", bytes(8) + b"vide" + bytes(12))
    track = box(b"trak", box(b"mdia", handler) + box(b"udta", place))
    moov = box(b"moov", box(b"mvhd", bytes(100)) + track + box(b"udta", place))
    return box(b"ftyp", brand + bytes(4) + b"isom") + moov + box(b"mdat", bytes(2_000)) + tail


def zip_bomb() -> bytes:
    """A hundred megabytes of nothing in a hundred kilobytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("nothing", bytes(100_000_000))
    return out.getvalue()
