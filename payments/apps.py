from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Collecting money for orders."""

    name = "payments"
    verbose_name = "Money"
