from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PortalConfig(AppConfig):
    """The kernel: loads the queue's tasks, so that a nudge by name is checked where it is written."""

    name = "portal"

    def ready(self) -> None:
        from portal import checks  # noqa: F401 - registers the system checks
        from portal.celery import app

        app.set_default()
        autodiscover_modules("tasks")
