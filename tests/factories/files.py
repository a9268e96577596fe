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
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def pdf(extra: str = "", pages: int = 1, page_size: tuple[int, int] = (200, 200), catalog: str = "") -> bytes:
    """A plain PDF of some pages; `extra` adds an object, `catalog` entries of the catalogue."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    box = f"[0 0 {page_size[0]} {page_size[1]}]"
    objects = [f"<< /Type /Catalog /Pages 2 0 R {catalog} >>", f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>"]
    objects += [f"<< /Type /Page /Parent 2 0 R /MediaBox {box} >>"] * pages + ([extra] if extra else [])
    return _pdf_of(*objects)


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


# --- more that is hostile ---------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG, with its sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(kind: bytes, body: bytes) -> bytes:
    """A small PNG with one more chunk behind its header."""
    good = picture("PNG", (8, 8))
    return good[:33] + chunk(kind, body) + good[33:]


def png_of(width: int, height: int, packed: bytes = b"") -> bytes:
    """A PNG that says that it is as large as this."""
    return _png(width, height, 8, 2, packed or zlib.compress(bytes(64)))


def moving_png(frames: int = 3) -> bytes:
    """An animated PNG."""
    still = [Image.new("RGB", (20, 20), (number * 9 % 256, 0, 0)) for number in range(frames)]
    out = io.BytesIO()
    still[0].save(out, "PNG", save_all=True, append_images=still[1:])
    return out.getvalue()


def gif_bomb(frames: int = 200) -> bytes:
    """Many frames that say they are large, in little."""
    head = b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + b"\x80\x00\x00" + bytes(3) + b"\xff" * 3
    frame = b"\x2c" + struct.pack("<HHHH", 0, 0, 60_000, 60_000) + b"\x00\x02\x02\x44\x01\x00"
    return head + frame * frames + b"\x3b"


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header says another size than its data has."""
    good = bytearray(picture())
    place = good.find(b"\xff\xc0") + 5
    good[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(good)


def jpeg_with(marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment in front."""
    good = picture()
    return good[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + good[2:]


def pdf_stream(packed: bytes, entries: str = "/Filter /FlateDecode") -> str:
    """An object that holds a stream."""
    return f"<< {entries} /Length {len(packed)} >>\nstream\n{packed.decode('latin-1')}\nendstream"


def pdf_bomb(megabytes: int = 400) -> bytes:
    """A page whose drawing instructions unpack to hundreds of megabytes of nothing."""
    box = "[0 0 200 200]"
    squeeze = zlib.compressobj(9)
    packed = b"".join(squeeze.compress(b" " * 1_000_000) for _ in range(megabytes)) + squeeze.flush()
    return _pdf_of(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R >>",
        pdf_stream(packed),
    )


def pdf_with_huge_picture() -> bytes:
    """A page with a picture of 900 megapixels, squeezed to nothing."""
    squeeze = zlib.compressobj(9)
    packed = b"".join(squeeze.compress(bytes(3_750)) for _ in range(30_000)) + squeeze.flush()
    entries = (
        "/Type /XObject /Subtype /Image /Width 30000 /Height 30000 /ColorSpace /DeviceGray /BitsPerComponent 1"
        " /Filter /FlateDecode"
    )
    return _pdf_of(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 5 0 R"
        " /Resources << /XObject << /I 4 0 R >> >> >>",
        pdf_stream(packed, entries),
        pdf_stream(zlib.compress(b"q 200 0 0 200 0 0 cm /I Do Q")),
    )


def pdf_that_turns_in_a_circle() -> bytes:
    """A tree of pages that holds itself."""
    return _pdf_of("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>")


def pdf_locked() -> bytes:
    """A PDF that asks for a password."""
    lock = "<< /Filter /Standard /V 1 /R 2 /O <" + "61" * 32 + "> /U <" + "62" * 32 + "> /P -64 >>"
    return pdf(lock).replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt 4 0 R /ID [<6162> <6162>]")


def _pdf_of(*objects: str) -> bytes:
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1"))
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write(b"".join(f"{place:010d} 00000 n \n".encode() for place in places))
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def nested_boxes(depth: int = 2_000) -> bytes:
    """An MP4 whose boxes hold each other a thousand times."""
    inner = b""
    for _ in range(depth):
        inner = box(b"trak", inner)
    return box(b"ftyp", b"mp42" + bytes(4) + b"isom") + box(b"moov", inner) + box(b"mdat", bytes(100))
