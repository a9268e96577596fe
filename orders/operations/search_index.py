"""What the fund search looks in: a tsvector per scheme, and the vocabulary that finds a mistyped word's neighbours."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from orders import search_words
from orders.models import Scheme, SchemeWord


def build() -> int:
    """Every scheme can be found by its words, and the vocabulary holds each of them. Returns how many rows changed."""
    rows = list(
        Scheme.objects.annotate(house=F("fund_house__name")).values_list(
            "id", "name", "house", "category", "asset_class", "plan", "option", "isin", "amfi_code", "is_active"
        )
    )
    documents = [(row[0], _document(row)) for row in rows]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy("COPY search_stage (id, search) FROM STDIN") as copy:
            copy.write("".join(f"{pk}\t{document}\n" for pk, document in documents))
        cursor.execute(_UPDATE)
        changed: int = cursor.rowcount
        _write_vocabulary(Counter(word for row in rows if row[9] for word in set(_vocabulary(row))))
    return changed


def kinds(category: str, asset_class: str, plan: str, option: str) -> str:
    """The words for what sort of scheme it is."""
    return f"{category} {asset_class} {plan} {option}".replace("_", " ")


def codes(*, scheme_isin: str, amfi_code: object) -> str:
    """The codes by which a scheme is known."""
    return f"{scheme_isin} {amfi_code or ''}"


def _document(row: tuple[Any, ...]) -> str:
    _, name, house, category, asset_class, plan, option, isin, amfi_code, _ = row
    return search_words.document(
        name=name,
        house=house,
        kinds=kinds(category, asset_class, plan, option),
        codes=codes(scheme_isin=isin, amfi_code=amfi_code),
    )


def _vocabulary(row: tuple[Any, ...]) -> list[str]:
    return search_words.words(f"{row[1]} {row[2]} {row[3]}")


def _write_vocabulary(counts: Counter[str]) -> None:
    known = dict(SchemeWord.objects.values_list("word", "schemes"))
    if known == counts:
        return
    SchemeWord.objects.filter(word__in=known.keys() - counts.keys()).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            _WORDS,
            [
                list(counts),
                [json.dumps(search_words.trigrams(word)) for word in counts],
                list(counts.values()),
            ],
        )


_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS search_stage (id bigint, search tsvector) ON COMMIT DELETE ROWS;
    DELETE FROM search_stage;
"""
_UPDATE = """
    UPDATE orders_scheme scheme SET search = stage.search FROM search_stage stage
     WHERE scheme.id = stage.id AND scheme.search IS DISTINCT FROM stage.search
"""
_WORDS = """
    INSERT INTO orders_schemeword (word, trigrams, schemes)
    SELECT * FROM unnest(%s::text[], %s::jsonb[], %s::integer[])
    ON CONFLICT (word) DO UPDATE SET schemes = excluded.schemes, trigrams = excluded.trigrams
"""
