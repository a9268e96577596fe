"""Papers of investors: looked at in the page, never downloaded; every look is in the audit log."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display

from investors import kyc_reasons
from investors.admin.finding import by_investor
from investors.models import Document
from investors.operations import documents
from investors.views.kyc import served
from portal import clock
from portal.access import STAFF, access
from portal.admin import show
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, by_text
from portal.models import User


def picture(document: Document) -> SafeString:
    """A paper as the desk sees it: in the page, with a link to its row and none to download it."""
    address = reverse("admin:investors_document_file", args=[document.pk])
    words, link = document.get_kind_display(), show.change_link(document)
    if document.media_type.startswith("video/"):
        return format_html(
            '<figure><video src="{}" controls controlslist="nodownload" preload="metadata" aria-label="{}"></video>'
            "<figcaption>{}</figcaption></figure>",
            address,
            words,
            link,
        )
    return format_html(
        '<figure><img src="{}" alt="{}" loading="lazy"><figcaption>{}</figcaption></figure>', address, words, link
    )


@admin.register(Document)
class DocumentAdmin(OpsAdmin):
    """What investors sent. Each look at a file is in the audit log; nothing is downloaded or changed here."""

    list_display = ("code", "investor", "kind", "sent", "size", "state_badge", "provider_ref")
    list_filter = (("kind", ChoicesCheckboxFilter), ("created_at", RangeDateTimeFilter))
    list_select_related = ("investor",)
    ordering = ("-id",)
    finders = (by_code("code"), by_text("provider_ref"), by_investor())
    search_help_text = "Document code, investor code, email or the provider's number"
    fieldsets = (
        (
            None,
            {"fields": (("code", "state_badge"), ("investor", "kind"), ("sent", "replaced"), ("size", "media_type"))},
        ),
        ("At the provider", {"fields": ("provider_ref", "sha256")}),
        ("The paper", {"fields": ("paper",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        file = access(STAFF)(self.admin_site.admin_view(require_safe(self.file_view)))
        return [path("<path:object_id>/file/", file, name="investors_document_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The file in the page. Whoever asks is in the audit log."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        document: Any = self.get_object(request, unquote(object_id))
        if document is None or not isinstance(request.user, User):
            raise Http404
        answer = served(document)
        documents.saw(document=document, actor=request.user, at=clock.now())
        return answer

    @display(description="State")
    def state_badge(self, document: Document) -> str:
        if document.replaced_at:
            return show.badge("neutral", "replaced")
        if document.refusal:
            return show.badge("needs", kyc_reasons.explain_rejection(document.refusal).title)
        return show.badge("done", "sent to the provider" if document.provider_ref else "kept")

    @display(description="Sent", ordering="created_at")
    def sent(self, document: Document) -> str:
        return show.moment(document.created_at)

    @display(description="Replaced")
    def replaced(self, document: Document) -> str:
        return show.moment(document.replaced_at)

    @display(description="Size", ordering="byte_size")
    def size(self, document: Document) -> str:
        pages = f", {document.pages} pages" if document.pages > 1 else ""
        return f"{show.grouped(max(1, document.byte_size // 1024))} KB{pages}"

    @display(description="As it was kept")
    def paper(self, document: Document) -> str:
        if document.replaced_at and document.provider_ref is None:
            return documents.Gone.message
        return format_html('<div class="ops-papers">{}</div>', picture(document))
