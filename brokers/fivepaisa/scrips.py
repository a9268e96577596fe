"""The scrip master: a CSV of every instrument, read as it arrives (providers.md 4.6)."""

from __future__ import annotations

import codecs
import csv
import zlib
from collections.abc import Iterable, Iterator

import structlog
from pydantic import Field, ValidationError

from brokers.fivepaisa import refusals
from brokers.fivepaisa.messages import Exchange
from portal.gateway import errors
from portal.gateway.transport import Request
from portal.gateway.wire import Amount, FoldedMessage, Text, folded

log = structlog.get_logger(__name__)
GZIP = b"\x1f\x8b"
MAX_LINE = 10_000
NEEDED = frozenset({"exch", "exchtype", "scripcode", "name"})


class ScripRow(FoldedMessage):
    """One instrument. In cash the series `EQ` marks a share; `scrip_type` is not to be trusted there."""

    exch: Exchange
    exch_type: Text
    scrip_code: int = Field(gt=0)
    name: str = Field(min_length=1, max_length=2_000)
    full_name: Text = ""
    symbol_root: Text = ""
    scrip_data: Text = ""
    series: Text = ""
    isin: Text = ""
    expiry: Text = ""
    scrip_type: Text = ""
    strike_rate: Text = ""
    tick_size: Amount
    lot_size: int = Field(gt=0)
    multiplier: Text = ""


def read(request: Request, chunks: Iterable[bytes]) -> Iterator[ScripRow]:
    """Every readable row. A row with an odd value is left out and counted in the log.

    Raises what `refusals.trouble_of_text` says when the text is no master, and Garbled when it ends half-way: then
    the rows so far are good, but what is missing must not be taken for gone.
    """
    lines = _lines(request, chunks)
    first = next(lines, "")
    columns = [folded(each.strip()) for each in next(_cells(request, [first]), [])]
    if not set(columns) >= NEEDED:
        raise refusals.trouble_of_text(request, 200, first.encode())
    left_out, width = 0, len(columns)
    for cells in _cells(request, lines):
        if not cells:
            continue
        if len(cells) < width:
            raise _garbled(request, "a row is cut off")
        try:
            yield ScripRow.model_validate(dict(zip(columns, cells, strict=False)))
        except ValidationError:
            left_out += 1
    if left_out:
        log.warning("scrips_left_out", provider=refusals.PROVIDER, count=left_out)


def _cells(request: Request, lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines in their cells. Raises Garbled for what is no CSV, such as a quotation mark that is never closed."""
    try:
        yield from csv.reader(lines)
    except csv.Error as error:
        raise _garbled(request, "no CSV") from error


def _lines(request: Request, chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines of text; a body that is gzip itself, without saying so in its headers, is opened."""
    decode, rest = codecs.getincrementaldecoder("utf-8-sig")("replace"), ""
    for chunk in _opened(request, chunks):
        *lines, rest = (rest + decode.decode(chunk)).split("\n")
        yield from lines
        if len(rest) > MAX_LINE:
            raise _garbled(request, "a line without end")
    if rest:
        yield rest


def _opened(request: Request, chunks: Iterable[bytes]) -> Iterator[bytes]:
    source = iter(chunks)
    first = next(source, b"")
    if not first.startswith(GZIP):
        yield first
        yield from source
        return
    opener = zlib.decompressobj(wbits=31)
    try:
        yield opener.decompress(first)
        for chunk in source:
            yield opener.decompress(chunk)
    except zlib.error as error:
        raise _garbled(request, "broken compression") from error
    if not opener.eof:
        raise _garbled(request, "the file is cut off")


def _garbled(request: Request, said: str) -> errors.Garbled:
    return errors.Garbled(refusals.PROVIDER, request.method, request.path, said=said)
