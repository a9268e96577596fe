"""Fill the database of a live stack: tables, the sandbox's schemes, AMFI's last day, people. Run inside the stack.

`python -m tests.journeys.prepare nila@journey.example ...` makes investors who are ready to invest, at FP too, and one
person for each staff role: `maker@journey.example` and so on. `firm@journey.example` has a login alone. All have the
password of the factories.
"""

from __future__ import annotations

import sys

import django


def main(emails: list[str]) -> None:
    """Everything, in one process."""
    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    _reference_data()
    _staff_and_partner()
    _baskets()
    for number, email in enumerate(emails):
        _investor(number, email)


def _reference_data() -> None:
    from orders.operations import nav_fetch, schemes
    from portal import clock

    schemes.sync(at=clock.now())
    nav_fetch.fetch_day(at=clock.now())


def _staff_and_partner() -> None:
    from portal import roles
    from tests import factories

    for role in roles.STAFF_ROLES:
        email = f"{role.rsplit(' ', 1)[-1]}@journey.example"
        roles.grant(factories.UserFactory(email=email, first_name=role.title()), role)
    # Somebody who neither invests nor works here: a firm that brings investors.
    factories.UserFactory(email="firm@journey.example", first_name="Farida", last_name="Merchant")


def _baskets() -> None:
    """The demo's baskets, drafted by the maker and published by the checker."""
    from brokers.operations import codes
    from orders.operations import securities
    from portal import clock
    from portal.management import demo_baskets
    from portal.models import User

    securities.sync(at=clock.now())
    securities.refresh_prices(at=clock.now())
    codes.refresh(at=clock.now())
    maker, checker = (User.objects.get(email=f"{role}@journey.example") for role in ("maker", "checker"))
    for basket in demo_baskets.BASKETS:
        demo_baskets.publish(basket, maker=maker, checker=checker)


def _investor(number: int, email: str) -> None:
    from tests import factories

    name = f"{email.partition('@')[0].title()} Journey"
    mobile, pan = f"97000000{number:02}", f"JRNPY{2000 + number}K"
    factories.register_at_fp(
        factories.ReadyInvestorFactory(user__email=email, user__mobile=mobile, name=name, given_pan=pan)
    )


if __name__ == "__main__":
    main(sys.argv[1:])
