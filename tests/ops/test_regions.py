"""Parts of an admin page that scroll by themselves are regions, and a screen reader's list tells them apart."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from portal import roles
from portal.templatetags.portal_tags import as_region
from tests import factories

pytestmark = pytest.mark.django_db


def named(page: str) -> list[str]:
    """The names of what scrolls: the theme's script gives the same one to all that have none."""
    tags = re.findall(r"<div[^>]*\sdata-simplebar[\s>][^>]*", page)
    return [(re.findall(r'data-simplebar-aria-label="([^"]*)"', tag) or ["scrollable content"])[0] for tag in tags]


def test_the_menu_a_list_and_its_filters_have_names_of_their_own(as_role):
    factories.OrderFactory()
    names = named(as_role(roles.VIEWER).get(reverse("admin:orders_mforder_changelist")).content.decode())
    assert {"Menu", "orders"} <= set(names)
    assert len(names) == len(set(names)), names


def test_lines_on_a_records_page_are_called_what_they_are(as_role):
    partner = factories.MemberFactory().partner
    page = as_role(roles.ADMIN).get(reverse("admin:portal_partner_change", args=[partner.pk])).content.decode()
    names = named(page)
    assert len(names) > 1
    assert "scrollable content" not in names


def test_a_name_is_written_as_text():
    markup = '<div class="x" data-simplebar data-simplebar-auto-hide="false"><p>data-simplebar </p></div>'
    assert as_region(markup, 'Lines "&"') == (
        '<div class="x" data-simplebar-aria-label="Lines &quot;&amp;&quot;" data-simplebar'
        ' data-simplebar-auto-hide="false"><p>data-simplebar </p></div>'
    )
