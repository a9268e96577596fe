from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class PortalConfig(AppConfig):
    """The kernel: loads the queue's tasks, so that a nudge by name is checked where it is written."""

    name = "portal"
    verbose_name = "Desk"

    def ready(self) -> None:
        from portal import checks, clock, field_words, sessions, strangers  # noqa: F401 - checks registers the system checks
        from portal.celery import app
        from portal.gateway.breaker import Breaker

        app.set_default()
        field_words.name_fields()
        sessions.keep_names_only()
        strangers.treat_alike()
        autodiscover_modules("tasks")
        import_module("portal.job_runs")
        unknowns = import_module("portal.unknowns")
        Breaker.on_close.append(lambda provider: unknowns.look_now(provider, clock.now()))
        # The handlers of inbound events, in every process that may work one.
        import_module("portal.routes")
        import_module("portal.management.restored").tell_the_gate()
        # Sent once per app, after Django has made that app's permissions.
        post_migrate.connect(_ensure_roles, dispatch_uid="portal.roles")


def _ensure_roles(app_config: AppConfig, apps: Any = None, **_: Any) -> None:
    from portal import gates, roles

    if apps is not None and not {"auth", "portal"} <= {config.label for config in apps.get_app_configs()}:
        return  # a partial migration, before the tables of permissions exist
    roles.ensure(app_config.label)
    if app_config.label == "portal":
        gates.ensure()
