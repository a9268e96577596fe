from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Schemes, orders and the ledger."""

    name = "orders"
    verbose_name = "Funds and orders"
