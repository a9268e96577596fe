"""What people upload is made harmless or refused with words that help (promise P29)."""

from __future__ import annotations

import gzip
import io
import struct
import zlib

import pypdfium2
import pytest
from PIL import Image

from portal.errors import InvalidInput
from portal.files import cleaner, quarantine
from tests.factories import files

PAPERS = quarantine.PAPERS


def clean(name: str, data: bytes, accepts: tuple[str, ...] = PAPERS) -> quarantine.CleanFile:
    return quarantine.clean(field="proof", name=name, data=data, accepts=accepts)


def test_a_photo_loses_where_and_with_what_it_was_taken_and_stands_upright() -> None:
    dirty = files.photo_with_place()
    assert b"SpyPhone" in dirty
    copy = clean("front.JPG", dirty)
    assert b"SpyPhone" not in copy.content
    assert b"Exif" not in copy.content
    image = Image.open(io.BytesIO(copy.content))
    assert (image.format, image.size, copy.media_type) == ("JPEG", (200, 600), "image/jpeg")


def test_a_signature_drawn_on_nothing_lies_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 10), (0, 0, 0, 0)).save(out, "PNG")
    copy = clean("signature.png", out.getvalue())
    assert Image.open(io.BytesIO(copy.content)).getpixel((5, 5)) == (255, 255, 255)


def test_a_large_photo_is_kept_at_a_size_in_which_every_letter_can_be_read() -> None:
    copy = clean("card.jpg", files.picture(size=(6_000, 4_000), quality=60))
    assert max(Image.open(io.BytesIO(copy.content)).size) <= 4_000


def test_a_photo_with_a_video_behind_it_as_some_phones_make_is_welcome() -> None:
    copy = clean("motion.jpg", files.picture() + files.video())
    assert b"ftyp" not in copy.content


def test_a_pdf_is_kept_as_drawings_of_its_pages() -> None:
    copy = clean("proof.pdf", files.pdf(pages=3, catalog="/OpenAction [3 0 R /Fit]"))
    assert copy.pages == 3
    assert len(pypdfium2.PdfDocument(copy.content)) == 3
    assert b"OpenAction" not in copy.content


def test_a_video_keeps_its_pictures_and_loses_its_place() -> None:
    dirty = files.video()
    copy = clean("me.mp4", dirty, quarantine.VIDEO)
    assert b"19.0760" in dirty
    assert b"19.0760" not in copy.content
    assert b"vide" in copy.content
    assert len(copy.content) == len(dirty)


HOSTILE = {
    "nothing at all": ("a.jpg", b"", PAPERS, "empty"),
    "SVG with a script": ("a.svg", b"<svg>" + files.SCRIPT + b"</svg>", PAPERS, "kind"),
    "SVG called JPG": ("a.jpg", b"<svg>" + files.SCRIPT + b"</svg>", PAPERS, "kind"),
    "page called PNG": ("a.png", b"<!doctype html>" + files.SCRIPT, PAPERS, "kind"),
    "zip bomb": ("a.zip", files.zip_bomb(), PAPERS, "kind"),
    "zip bomb called PDF": ("a.pdf", files.zip_bomb(), PAPERS, "kind"),
    "program": ("a.jpg", b"MZ\x90\x00" + bytes(500), PAPERS, "kind"),
    "GIF": ("a.gif", b"GIF89a" + bytes(100), PAPERS, "kind"),
    "WebP": ("a.jpg", b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(100), PAPERS, "kind"),
    "PNG called JPG": ("a.jpg", files.picture("PNG"), PAPERS, "extension"),
    "PDF called JPG": ("a.jpg", files.pdf(), PAPERS, "extension"),
    "no extension": ("photo", files.picture(), PAPERS, "kind"),
    "two extensions": ("photo.jpg.exe", files.picture(), PAPERS, "kind"),
    "PDF where a photo is wanted": ("a.pdf", files.pdf(), quarantine.PICTURES, "kind"),
    "photo where a video is wanted": ("a.jpg", files.picture(), quarantine.VIDEO, "kind"),
    "81 megapixels": ("a.png", files.png_bomb(), PAPERS, "pixels"),
    "very wide": ("a.png", files.picture("PNG", (12_500, 4)), PAPERS, "pixels"),
    "cut off": ("a.jpg", files.picture()[:900], PAPERS, "damaged"),
    "PNG header only": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(40), PAPERS, "damaged"),
    "JPEG and ZIP": ("a.jpg", files.picture() + b"PK\x03\x04" + bytes(40), PAPERS, "two_in_one"),
    "JPEG and PDF": ("a.jpg", files.picture() + files.pdf(), PAPERS, "two_in_one"),
    "JPEG and page": ("a.jpg", files.picture(comment=files.SCRIPT), PAPERS, "two_in_one"),
    "JPEG and PHP": ("a.jpg", files.picture() + b"<?php system($_GET[0]);", PAPERS, "two_in_one"),
    "PNG and program": ("a.png", files.picture("PNG") + b"\x7fELF" + bytes(50), PAPERS, "two_in_one"),
    "PDF with JavaScript": ("a.pdf", files.pdf("<< /S /JavaScript /JS (app.alert(1)) >>"), PAPERS, "active"),
    "PDF with hidden JavaScript": ("a.pdf", files.pdf("<< /S /J#61vaScript /J#53 (x) >>"), PAPERS, "active"),
    "PDF with packed JavaScript": ("a.pdf", files.pdf_with_packed_script(), PAPERS, "active"),
    "PDF that launches": ("a.pdf", files.pdf("<< /S /Launch /F (cmd.exe) >>"), PAPERS, "active"),
    "PDF with a file inside": ("a.pdf", files.pdf("<< /Type /EmbeddedFile >>"), PAPERS, "active"),
    "PDF with a form that sends": ("a.pdf", files.pdf("<< /S /SubmitForm /F (http://x) >>"), PAPERS, "active"),
    "PDF and ZIP": ("a.pdf", files.pdf() + files.zip_bomb()[:200], PAPERS, "two_in_one"),
    "PDF of a thousand pages": ("a.pdf", files.pdf(pages=1_000), PAPERS, "pages"),
    "PDF of no page": ("a.pdf", files.pdf(pages=0), PAPERS, "damaged"),
    "PDF as large as a field": ("a.pdf", files.pdf(page_size=(900_000, 900_000)), PAPERS, "pages"),
    "PDF of noise": ("a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40, PAPERS, "damaged"),
    "QuickTime": ("a.mp4", files.video(brand=b"qt  "), quarantine.VIDEO, "brand"),
    "video and ZIP": ("a.mp4", files.video(tail=b"PK\x03\x04" + bytes(30)), quarantine.VIDEO, "damaged"),
    "video cut off": ("a.mp4", files.video()[:-10], quarantine.VIDEO, "damaged"),
    "video without pictures": ("a.mp4", files.video().replace(b"vide", b"soun"), quarantine.VIDEO, "no_picture"),
    "6 MB photo": ("a.jpg", files.picture() + bytes(6_000_000), PAPERS, "large"),
    "SVG in gzip": ("a.svgz", gzip.compress(b"<svg>" + files.SCRIPT), PAPERS, "kind"),
    "SVG called PDF": ("a.pdf", b"<?xml version='1.0'?><svg onload='alert(1)'/>", PAPERS, "kind"),
    "entities that double": ("a.jpg", b"<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><x>&b;</x>", PAPERS, "kind"),
    "page behind a byte order mark": ("a.jpg", b"\xef\xbb\xbf<html>" + files.SCRIPT, PAPERS, "kind"),
    "shell script": ("a.png", b"#!/bin/sh\nrm -rf /\n", PAPERS, "kind"),
    "ELF program": ("a.png", b"\x7fELF" + bytes(300), PAPERS, "kind"),
    "office file": ("a.pdf", b"PK\x03\x04" + b"word/document.xml" + bytes(200), PAPERS, "kind"),
    "old office file": ("a.pdf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), PAPERS, "kind"),
    "PostScript": ("a.pdf", b"%!PS-Adobe-3.0\n(x) run", PAPERS, "kind"),
    "TIFF": ("a.jpg", b"II*\x00" + bytes(200), PAPERS, "kind"),
    "BMP": ("a.png", b"BM" + bytes(200), PAPERS, "kind"),
    "HEIC called JPG": ("a.jpg", files.box(b"ftyp", b"heic" + bytes(8)), PAPERS, "kind"),
    "GIF bomb": ("a.gif", files.gif_bomb(), PAPERS, "kind"),
    "GIF bomb called PNG": ("a.png", files.gif_bomb(), PAPERS, "kind"),
    "one byte": ("a.jpg", b"\xff", PAPERS, "kind"),
    "nothing but the mark of a JPEG": ("a.jpg", b"\xff\xd8\xff", PAPERS, "damaged"),
    "moving PNG": ("a.png", files.moving_png(), PAPERS, "moving"),
    "moving PNG of a thousand frames": ("a.png", files.moving_png(1_000), PAPERS, "moving"),
    "PNG of 100,000 by 100,000": ("a.png", files.png_of(100_000, 100_000), PAPERS, "pixels"),
    "PNG of 2 billion by 1": ("a.png", files.png_of(2**31 - 1, 1), PAPERS, "pixels"),
    "PNG of no width": ("a.png", files.png_of(0, 100), PAPERS, "damaged"),
    "PNG with less than it says": ("a.png", files.png_of(5_000, 5_000), PAPERS, "damaged"),
    "PNG with a bomb in its text": ("a.png", files.png_with(b"zTXt", b"t\0\0" + zlib.compress(bytes(80_000_000))), PAPERS, "damaged"),  # noqa: E501
    "PNG with a script in its text": ("a.png", files.png_with(b"tEXt", b"Comment\0" + files.SCRIPT), PAPERS, "two_in_one"),  # noqa: E501
    "PNG and RAR": ("a.png", files.picture("PNG") + b"Rar!\x1a\x07" + bytes(30), PAPERS, "two_in_one"),
    "PNG and ZIP": ("a.png", files.picture("PNG") + files.zip_bomb()[:300], PAPERS, "two_in_one"),
    "JPEG of 65,000 by 65,000": ("a.jpg", files.jpeg_of(65_000, 65_000), PAPERS, "pixels"),
    "JPEG and 7z": ("a.jpg", files.picture() + b"7z\xbc\xaf\x27\x1c" + bytes(30), PAPERS, "two_in_one"),
    "JPEG and Windows program": ("a.jpg", files.picture() + b"MZ\x90\x00" + bytes(60), PAPERS, "two_in_one"),
    "JPEG with PHP in its metadata": ("a.jpg", files.jpeg_with(0xE1, b"Exif\0\0<?php eval($_POST[1]);"), PAPERS, "two_in_one"),  # noqa: E501
    "JPEG with a PDF in front": ("a.jpg", files.jpeg_with(0xFE, files.pdf()), PAPERS, "two_in_one"),
    "JPEG with a page in front": ("a.jpg", files.jpeg_with(0xFE, b"<!DocType html>"), PAPERS, "two_in_one"),
    "PDF that goes elsewhere": ("a.pdf", files.pdf("<< /S /GoToE /F (x.pdf) >>"), PAPERS, "active"),
    "PDF with rich media": ("a.pdf", files.pdf("<< /Type /Annot /Subtype /RichMedia >>"), PAPERS, "active"),
    "PDF that imports": ("a.pdf", files.pdf("<< /S /ImportData /F (x.fdf) >>"), PAPERS, "active"),
    "PDF with an XFA form": ("a.pdf", files.pdf(catalog="/AcroForm << /XFA (x) >>"), PAPERS, "active"),
    "PDF with files in its names": ("a.pdf", files.pdf(catalog="/Names << /EmbeddedFiles << >> >>"), PAPERS, "active"),
    "PDF with a script on opening": ("a.pdf", files.pdf(catalog="/OpenAction << /S /JavaScript /JS (x) >>"), PAPERS, "active"),  # noqa: E501
    "PDF with hex in every letter": ("a.pdf", files.pdf("<< /S /#4a#61#76#61#53#63#72#69#70#74 >>"), PAPERS, "active"),
    "PDF with a page in front": ("a.pdf", b"%PDF-1.7\n<html>" + files.SCRIPT + files.pdf()[9:], PAPERS, "two_in_one"),
    "PDF with a password": ("a.pdf", files.pdf_locked(), PAPERS, "locked"),
    "PDF that turns in a circle": ("a.pdf", files.pdf_that_turns_in_a_circle(), PAPERS, "damaged"),
    "PDF of packed gigabytes": ("a.pdf", files.pdf(files.pdf_stream(zlib.compress(bytes(80_000_000)), "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")), PAPERS, "pages"),  # noqa: E501
    "PDF cut off": ("a.pdf", files.pdf()[:60], PAPERS, "damaged"),
    "HEIC called MP4": ("a.mp4", files.box(b"ftyp", b"heic" + bytes(8)) + files.box(b"mdat", bytes(50)), quarantine.VIDEO, "brand"),  # noqa: E501
    "video of noise": ("a.mp4", files.box(b"ftyp", b"mp42" + bytes(8)) + bytes(range(256)) * 20, quarantine.VIDEO, "damaged"),  # noqa: E501
    "video of nothing but a head": ("a.mp4", files.box(b"ftyp", b"mp42" + bytes(8)), quarantine.VIDEO, "damaged"),
    "video with a page in it": ("a.mp4", files.box(b"ftyp", b"mp42" + bytes(8)) + files.box(b"free", b"<html>") + files.video()[20:], quarantine.VIDEO, "two_in_one"),  # noqa: E501
    "video with a box larger than the file": ("a.mp4", files.video() + struct.pack(">I4s", 2**31, b"free"), quarantine.VIDEO, "damaged"),  # noqa: E501
    "video with a box of 64 bits that overflows": ("a.mp4", files.video() + struct.pack(">I4sQ", 1, b"free", 2**64 - 1), quarantine.VIDEO, "damaged"),  # noqa: E501
    "video of boxes in boxes": ("a.mp4", files.nested_boxes(), quarantine.VIDEO, "no_picture"),
    "PDF called MP4": ("a.mp4", files.pdf(), quarantine.VIDEO, "kind"),
    "name that runs backwards": ("photo\u202egpj.exe", files.picture(), PAPERS, "kind"),
    "name with a second name behind NUL": ("photo.jpg\x00.exe", files.picture(), PAPERS, "kind"),
    "name that ends in a dot": ("photo.jpg.", files.picture(), PAPERS, "kind"),
    "name of a folder": ("photo.jpg/", files.picture(), PAPERS, "kind"),
    "13 MB video": ("a.mp4", files.video() + bytes(13_000_000), quarantine.VIDEO, "large"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "accepts", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_or_broken_file_is_refused_in_words(
    name: str, data: bytes, accepts: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean(name, data, accepts)
    assert refused.value.field == "proof"
    accepted = " or ".join(quarantine.NAMES[kind] for kind in accepts)
    assert refused.value.message == quarantine.REASONS[reason].format(accepted=accepted)


def test_every_refusal_tells_what_to_do() -> None:
    for words in quarantine.REASONS.values():
        assert any(hint in words for hint in ("Please", "at most")), words


def test_a_file_that_keeps_the_cleaner_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "TIMEOUT_S", 0.0001)
    with pytest.raises(InvalidInput, match="too long"):
        clean("a.jpg", files.picture())


def test_there_are_at_least_sixty_of_them() -> None:
    assert len(HOSTILE) >= 60


# Refused, or drawn anew like any other: whichever it is, the child must live within its limits.
HEAVY = {
    "a page that unpacks to 400 MB": ("a.pdf", files.pdf_bomb(), PAPERS),
    "a page with a picture of 900 megapixels": ("a.pdf", files.pdf_with_huge_picture(), PAPERS),
    "the most pixels that are allowed": ("a.jpg", files.picture(size=(7_900, 5_000), quality=20), PAPERS),
}
GOOD_NAMES = [
    "../../etc/passwd.jpg",
    "C:\\windows\\card.JPG",
    "\u202egpj.jpg",
    "x" * 400 + ".jpg",
    "\x00.jpg",
    "<b>.jpg",
]


@pytest.mark.parametrize("name", HEAVY)
def test_what_is_heavy_is_refused_or_made_harmless_within_the_limits(name: str) -> None:
    try:
        copy = clean(*HEAVY[name])
    except InvalidInput:
        copy = None
    assert copy is None or copy.content[:4] in (b"%PDF", b"\xff\xd8\xff\xe0")
    # Not what the kernel reports of children: that begins with the size of the process that forked them.
    assert cleaner.MEMORY <= 512 * 1024 * 1024, "the kernel gives a child no more"


@pytest.mark.parametrize("name", GOOD_NAMES, ids=range(len(GOOD_NAMES)))
def test_of_a_name_only_the_ending_counts(name: str) -> None:
    copy = clean(name, files.picture())
    assert copy.kind == "jpg"
    assert name.encode() not in copy.content


@pytest.mark.parametrize(
    "name", ["81 megapixels", "zip bomb called PDF", "PDF of a thousand pages", "PDF of packed gigabytes", "GIF bomb"]
)
def test_no_hostile_file_takes_more_than_512_mb_or_ten_seconds(name: str) -> None:
    """The kernel ends a child at either bound; what it reports of children begins with the size of their parent."""
    with pytest.raises(InvalidInput):
        clean(*HOSTILE[name][:3])
    assert cleaner.SECONDS <= 10
    assert cleaner.MEMORY <= 512 * 1024 * 1024


def test_the_cleaner_knows_nothing_of_the_project() -> None:
    text = quarantine.CLEANER.read_text()
    assert "import django" not in text
    assert "from portal" not in text
