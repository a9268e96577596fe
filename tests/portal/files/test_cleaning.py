"""What people upload is made harmless or refused with words that help (promise P29)."""

from __future__ import annotations

import io
import resource

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


@pytest.mark.parametrize("name", ["81 megapixels", "zip bomb called PDF", "PDF of a thousand pages"])
def test_no_hostile_file_takes_more_than_512_mb_or_ten_seconds(name: str) -> None:
    """The largest child so far is what the kernel reports: a process of its own reports only these."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with pytest.raises(InvalidInput):
        clean(*HOSTILE[name][:3])
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert cleaner.SECONDS <= 10, "the kernel ends a child that computes for longer"
    assert used == before or used < 512 * 1024


def test_the_cleaner_knows_nothing_of_the_project() -> None:
    text = quarantine.CLEANER.read_text()
    assert "import django" not in text
    assert "from portal" not in text
