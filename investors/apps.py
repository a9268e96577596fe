from django.apps import AppConfig


class InvestorsConfig(AppConfig):
    """People and what they have authorised."""

    name = "investors"
    verbose_name = "People"
