"""The WSGI application. Web processes see no investor's rows until a request says whose they may see."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ.setdefault("DB_SCOPE", "none")

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from portal.late import read_all

application = get_wsgi_application()
# Before the first request, and before processes part: what is read now they share.
read_all(get_resolver())
