"""The queue. A message is only a bell: the rows say what remains to be done (see `portal/jobs.py`)."""

import os

from celery import Celery
from celery.signals import setup_logging
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# Celery runs Django's checks in each worker and drops what they say; commands run them, and stop where one fails. To
# check all pages a worker would have to hold them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

TRANSPORT_ALIASES["filesystem"] = "portal.folder_queue:Transport"

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Celery would replace the logging of settings; connecting this signal tells it not to."""
