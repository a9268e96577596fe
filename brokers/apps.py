from django.apps import AppConfig


class BrokersConfig(AppConfig):
    """Speaking to stock brokers."""

    name = "brokers"
