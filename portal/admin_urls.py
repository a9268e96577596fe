"""The addresses of the admin, made of every app's pages (`portal/late.py` says when this is read)."""

from django.contrib import admin

from portal.late import read_pages

# Pages of libraries come first: some of ours take their places.
read_pages()

from portal.admin.sign_in import sign_in  # noqa: E402

admin.site.login = sign_in  # type: ignore[method-assign]
urlpatterns = admin.site.get_urls()
