"""Addresses of mandates; part of `investors/urls.py`."""

from django.urls import path

from investors.views import mandates, paper_mandates

urlpatterns = [
    path("mandates/", mandates.mandate_list, name="mandates"),
    path("mandates/new/", mandates.new, name="mandate_new"),
    path("mandates/confirm/<slug:code>/", mandates.confirm, name="mandate_confirm"),
    path("mandates/return/<slug:nonce>/", mandates.mandate_return, name="mandate_return"),
    path("mandates/<slug:code>/", mandates.detail, name="mandate"),
    path("mandates/<slug:code>/authorise/", mandates.authorise, name="mandate_authorise"),
    path("mandates/<slug:code>/cancel/", mandates.cancel, name="mandate_cancel"),
    path("mandates/<slug:code>/again/", mandates.new, name="mandate_retry"),
    path("mandates/<slug:code>/form.pdf", paper_mandates.form, name="mandate_form"),
    path("mandates/<slug:code>/signed/", paper_mandates.upload, name="mandate_upload"),
]
