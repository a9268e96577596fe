"""The Invest button for a page of a partner: a script tag and a plain link."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from brokers import embeds
from portal import clock
from portal.models import Partner


class Command(BaseCommand):
    """`./run embed_code <partner's code> <origin> <basket's address>`"""

    help = "Print the script tag and the link of the Invest button for one basket on one site of a partner."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose site, which of its origins, which basket."""
        parser.add_argument("partner")
        parser.add_argument("origin", help="as it stands in the partner's list, such as https://advisor.example")
        parser.add_argument("basket", help="the last part of the basket's address")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sign a token and print it in both forms."""
        partner = Partner.objects.filter(code=options["partner"]).first()
        if partner is None:
            raise CommandError(f"There is no partner {options['partner']}.")
        try:
            token = embeds.token(partner=partner, origin=options["origin"], slug=options["basket"], at=clock.now())
        except embeds.NotGood as error:
            raise CommandError(str(error.message)) from error
        script, link = (settings.PUBLIC_URL + reverse(f"brokers:{name}") for name in ("embed_script", "go_embedded"))
        self.stdout.write(f'<script src="{script}" data-token="{token}" async></script>')
        self.stdout.write(f"{link}?token={token}")
        self.stdout.write(f"Good for {embeds.GOOD_FOR.days} days, on {options['origin']} only.")
