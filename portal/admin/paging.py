"""Paging through big tables without counting them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property

# Whoever is this deep in a list is looking for something: the filters and the search find it, offsets do not.
DEEPEST_PAGE = 200


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
