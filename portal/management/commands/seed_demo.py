"""The demo: real schemes and NAVs, two partners, four investors in different states, every staff role.

Idempotent: what exists stays as it is, what an interrupted run left out is added. Everything goes through the same
operations as a click, against the running sandbox.
"""

from __future__ import annotations

import time
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from orders.models import Nav, Scheme
from orders.operations import nav_fetch, schemes
from portal import clock, roles
from portal.management import demo
from portal.models import Partner, User


class Command(BaseCommand):
    """Needs the sandbox to run; refuses live mode."""

    help = "Make the demo data of the sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        """`up` runs this at every start and wants to hear only of what is new."""
        parser.add_argument("--quiet-when-done", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line per thing made. Raises CommandError in live mode."""
        if not settings.SANDBOX:
            raise CommandError("Demo people do not belong into live mode.")
        self.started = time.monotonic()
        self._reference_data()
        self._partners()
        for person in demo.EVERYBODY:
            self._user(person)
        if not options["quiet_when_done"]:
            self.stdout.write(demo.welcome())

    def _say(self, words: str) -> None:
        self.stdout.write(f"        demo  {words} ({time.monotonic() - self.started:.1f} s)")
        self.stdout.flush()

    def _reference_data(self) -> None:
        if not Scheme.objects.exists():
            synced = schemes.sync(at=clock.now())
            self._say(f"{synced.listed:,} schemes from the sandbox's FP")
        if not Nav.objects.exists():
            run = nav_fetch.fetch_day(at=clock.now())
            self._say(f"{run.accepted if run else 0:,} NAVs of AMFI's last day")

    def _partners(self) -> None:
        for code, name in demo.PARTNERS.items():
            Partner.objects.get_or_create(code=code, defaults={"name": name})

    def _user(self, person: demo.Person) -> User:
        """The account with its verified address, password and role."""
        user = User.objects.filter(email=person.email).first()
        if user:
            return user
        first, last = person.name.split(" ", 1)
        with transaction.atomic():
            user = User.objects.create_user(person.email, demo.PASSWORD, first_name=first, last_name=last)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            roles.grant(user, person.role or roles.INVESTOR)
        self._say(f"{person.name}, {person.state}")
        return user
