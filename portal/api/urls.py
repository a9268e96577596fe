"""Addresses below /api/v1/: the token, the document, the docs, and a path per resource."""

from __future__ import annotations

from django.urls import URLPattern, path

from portal.api import endpoints, views


def urlpatterns() -> list[URLPattern]:
    """Called once every app's `api` has declared its endpoints."""
    return [
        path("token", views.token, name="api_token"),
        path("openapi.json", views.document, name="api_document"),
        path("docs/", views.docs, name="api_docs"),
        *endpoints.urlpatterns(),
    ]
