"""Paging through big tables without counting them, and without walking over what was shown before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import InvalidToken
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import F, Field, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

from portal import encryption
from portal.sought import FIND, masked, unsealed

# Whoever is this deep in a list by page numbers is looking for something: filters and search find it, offsets do not.
DEEPEST_PAGE = 200
# One column of an order: the field, and whether it descends.
Column = tuple["Field[Any, Any]", bool]


class UncountedPaginator(Paginator):
    """Reads one row more than a page holds, to know whether there is a next one. Never asks for the number of rows."""

    template_name = "admin/uncounted.html"
    has_more = False

    @cached_property
    def count(self) -> int:
        """The most rows that can be paged through; no query."""
        return DEEPEST_PAGE * self.per_page

    def page(self, number: Any) -> Page:
        """The rows of one page. Raises EmptyPage beyond DEEPEST_PAGE."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        # Keys first, walked from the index; what stands beside a row is joined to one page only. In one statement the
        # planner joins and sorts the whole table, because it cannot see through the row-level policies.
        rows: Any = self.object_list
        keys = list(rows.select_related(None).values_list("pk", flat=True)[first : first + self.per_page + 1])
        self.has_more = len(keys) > self.per_page and number < DEEPEST_PAGE
        found = rows.order_by().in_bulk(keys[: self.per_page])
        return Page([found[key] for key in keys[: self.per_page] if key in found], number, self)


def columns_of(model: type[Model], ordering: Sequence[Any]) -> list[Column] | None:
    """The columns of an order; None where it is not made of the model's own columns (then page numbers are used)."""
    found = []
    for each in ordering:
        name, descends = _named(each)
        field = next((field for field in model._meta.concrete_fields if name in (field.name, field.attname)), None)
        field = model._meta.pk if name == "pk" else field
        if field is None or field.is_relation:
            return None
        found.append((field, descends))
    return found


def _named(each: Any) -> tuple[str, bool]:
    if isinstance(each, OrderBy) and isinstance(each.expression, F):
        plain = not (each.nulls_first or each.nulls_last)
        return (str(each.expression.name) if plain else ""), each.descending  # type: ignore[attr-defined]
    return (each.removeprefix("-"), each.startswith("-")) if isinstance(each, str) else ("", False)


def cursor_after(row: Model, columns: Sequence[Column]) -> str:
    """Where the next page begins, for an address: sealed, because the last row's value may be somebody's name."""
    values = [None if getattr(row, field.attname) is None else field.value_to_string(row) for field, _ in columns]
    return encryption.encrypt(json.dumps(values))


def beyond(rows: QuerySet[Any], columns: Sequence[Column], cursor: str) -> QuerySet[Any]:
    """The rows after a cursor, in this order. A cursor that was not made here begins at the first page."""
    try:
        texts = json.loads(encryption.decrypt(cursor))
        values = [
            None if text is None else field.to_python(text) for (field, _), text in zip(columns, texts, strict=True)
        ]
    except (ValueError, TypeError, InvalidToken, ValidationError):
        return rows
    condition, same = Q(pk__in=[]), Q()
    for (field, descends), value in zip(columns, values, strict=True):
        condition |= same & _past(field.name, descends, value)
        same &= Q(**{field.name: value}) if value is not None else Q(**{f"{field.name}__isnull": True})
    (field, descends), value = columns[0], values[0]
    if value is not None and not field.null:
        # Said once for the first column, so that its index is walked from there.
        rows = rows.filter(**{f"{field.name}__{'lte' if descends else 'gte'}": value})
    return rows.filter(condition)


def _past(name: str, descends: bool, value: Any) -> Q:
    """PostgreSQL puts empty values last in rising order, and first in falling order."""
    if value is None:
        return Q(**{f"{name}__isnull": False}) if descends else Q(pk__in=[])
    return Q(**{f"{name}__lt": value}) if descends else Q(**{f"{name}__gt": value}) | Q(**{f"{name}__isnull": True})


class UncountedList(ChangeList):
    """A list that does not know how many rows there are, and does not pretend to."""

    queryset: QuerySet[Any]
    after = ""
    next_url = first_url = ""
    # What was searched for, as it may be shown, and the list without that.
    sought = whole_url = ""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        # Where the page begins and what is searched for are no filters of the list.
        self.after = self.after or self.params.pop("after", "")
        for name in ("after", FIND):
            self.filter_params.pop(name, None)
        _begin_anew(request)
        if FIND not in self.params:
            return super().get_queryset(request, exclude_parameters)
        term = unsealed(self.params[FIND], request.user)
        self.query = term or ""
        found = super().get_queryset(request, exclude_parameters)
        self.sought = masked(self.query)
        self.whole_url = self.get_query_string(remove=[FIND])
        # What is masked on every page is not written into the search box either.
        self.query = self.query if self.sought == self.query else ""
        # Never the whole list in place of a search that has ended: somebody may act on all of its rows.
        return found.none() if term is None else found

    def get_results(self, request: HttpRequest) -> None:
        columns = columns_of(self.model, self.queryset.query.order_by)
        if columns and self.after:
            self.queryset = beyond(self.queryset, columns, self.after)
        super().get_results(request)
        if self.after or self.page_num > 1:
            self.first_url = self.get_query_string()
        if getattr(self.paginator, "has_more", False) and self.result_list:
            last = {"after": cursor_after(self.result_list[-1], columns)} if columns else {"p": self.page_num + 1}
            self.next_url = self.get_query_string(last)
        # The theme's header shows a count only where the two differ.
        self.full_result_count = self.result_count


def _begin_anew(request: HttpRequest) -> None:
    """The theme's filter form takes along what stands in the address: other filters begin at their first page."""
    asked = request.GET.copy()
    for name in ("after", "p"):
        asked.pop(name, None)
    request.GET = asked  # type: ignore[assignment]
