from importlib import import_module

from django.apps import AppConfig


class BrokersConfig(AppConfig):
    """Speaking to stock brokers."""

    name = "brokers"

    def ready(self) -> None:
        # What brokers empty when somebody is forgotten, in every process that may do it.
        import_module("brokers.personal")
