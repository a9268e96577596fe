"""Every address of the product."""

from django.urls import include, path

import investors.api
import orders.api
import payments.api
from investors.views import changes
from orders.views import about
from orders.views.home import home
from portal import outbox, routes, views
from portal.api import urls as api_urls
from portal.late import later
from portal.notices import views as notice_views
from portal.webhooks import api as events_api
from portal.webhooks import endpoints_api

# Their modules register handlers and endpoints when they are read.
DECLARED = (routes, investors.api, orders.api, payments.api, events_api, endpoints_api)

urlpatterns = [
    path("", home, name="home"),
    path("about/", about.about, name="about"),
    path("terms/", about.terms, name="terms"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("webhooks/", include("brokers.doorbells")),
    path("notices/", notice_views.centre, name="notices"),
    path("notices/read/", notice_views.all_read, name="notices_read"),
    path("notices/choices/", notice_views.choices, name="notice_choices"),
    path("notices/<int:notice_id>/", notice_views.one, name="notice"),
    path("outbox/", outbox.page, name="outbox"),
    later("admin/", "portal.admin_urls", "admin"),
    path("accounts/email/", changes.login_email, name="account_email"),
    path("accounts/", include("allauth.urls")),
    path("partner/", include("portal.console.urls")),
    path("api/v1/", include(api_urls.urlpatterns())),
    path("", include("investors.urls")),
    path("", include("orders.urls")),
    path("", include("payments.urls")),
    path("", include("brokers.urls")),
]
# The API answers with problems where people get pages.
handler404 = "portal.api.views.not_found"
handler500 = "portal.api.views.server_error"
