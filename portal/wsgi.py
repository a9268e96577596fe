"""The WSGI application. Web processes see no investor's rows until a request says whose they may see."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ.setdefault("DB_SCOPE", "none")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
