"""What only web processes show is read when somebody asks for it: a worker never holds the pages of the admin.

Django reads every app's pages of the admin as it starts, and with them the views, forms and widgets of the desk: a
tenth of what a worker holds. Here they wait for the first request below `/admin/`, for a link into the admin, or for
the checks that every command makes. Web processes read them before they answer anything (`portal/wsgi.py`).
"""

from __future__ import annotations

import threading
from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.urls import URLResolver
from django.urls.resolvers import RoutePattern


class Admin(SimpleAdminConfig):
    """Django's admin without its reading of every page at the start."""

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_pages, checks.Tags.admin)


def _check_pages(**given: Any) -> list[checks.CheckMessage]:
    """Django's own checks of the pages, once they are there."""
    read_pages()
    return check_admin_app(**given)


_reading = threading.RLock()


def read_pages() -> None:
    """Every app's pages of the admin are there. One thread reads them: two would meet in modules that are half read."""
    with _reading:
        admin.autodiscover()


class Later(URLResolver):
    """Addresses of a namespace whose module is imported when one of them is asked for."""

    def _populate(self) -> None:
        """Django goes through all addresses to learn their names; of a namespace its own name is enough."""
        if "urlconf_module" in vars(self):
            super()._populate()


def read_all(addresses: URLResolver) -> None:
    """Import every module of addresses, also of those that would wait."""
    for each in addresses.url_patterns:
        if isinstance(each, URLResolver):
            read_all(each)


def later(prefix: str, module: str, namespace: str) -> Later:
    """Like `path(prefix, include(module, namespace))`, read late."""
    return Later(RoutePattern(prefix, is_endpoint=False), module, app_name=namespace, namespace=namespace)
