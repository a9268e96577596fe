"""Give somebody a role from the machine itself: for the first administrators, who have no second person yet."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from portal import audit, clock, roles
from portal.models import User

CONSOLE = "console"


class Command(BaseCommand):
    """Everything later goes through the admin, where two administrators are needed."""

    help = "Give a role without a second person. Stands in the audit log as done at the console."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, what, why."""
        parser.add_argument("email")
        parser.add_argument("role", choices=[*roles.GRANTS, roles.EVERY_RIGHT])
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for an address that nobody has."""
        user = User.objects.filter(email=options["email"].lower()).first()
        if user is None:
            raise CommandError(f"Nobody has the address {options['email']}.")
        with transaction.atomic():
            roles.grant(user, options["role"])
            audit.record(
                user,
                "user.role_given",
                actor=CONSOLE,
                at=clock.now(),
                reason=options["reason"],
                role=options["role"],
            )
        self.stdout.write(f"{user.email} is {options['role']} now.")
