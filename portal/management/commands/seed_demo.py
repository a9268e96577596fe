"""The demo: real schemes and NAVs, two partners, four investors in different states, every staff role.

Idempotent: what exists stays as it is, what an interrupted run left out is added. Everything goes through the same
operations as a click, against the running sandbox; what Asha holds she bought weeks ago by the sandbox's clock.
"""

from __future__ import annotations

import time
from datetime import date, datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from brokers.operations import codes
from investors.models import Investor, Mandate
from orders import lifecycle
from orders.models import Basket, MfOrder, Nav, Plan, Scheme, Security
from orders.operations import nav_fetch, plans, schemes, securities
from portal import audit, clock, roles
from portal.api import firms, partners
from portal.errors import Failure
from portal.gateway.errors import GatewayError
from portal.management import demo, demo_baskets, demo_commission, story, world
from portal.models import FirmRequest, Partner, PartnerMember, User

# Asha's purchases: days ago, category, rupees.
BOUGHT = ((96, "Flexi Cap Fund", 25_000), (33, "Liquid Fund", 10_000))
WAITING = ("Large Cap Fund", 15_000)
# Asha's SIP, rupees a month, and the limit of its mandate.
SIP, SIP_LIMIT = 5_000, 25_000


class Command(BaseCommand):
    """Needs the sandbox to run; refuses live mode."""

    help = "Make the demo data of the sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        """`up` runs this at every start and wants to hear only of what is new."""
        parser.add_argument("--quiet-when-done", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line per thing made. Raises CommandError in live mode, or when the sandbox does not play along."""
        if not settings.SANDBOX:
            raise CommandError("Demo people do not belong into live mode.")
        self.started = time.monotonic()
        try:
            self._reference_data()
            self._partners()
            users = {person.email: self._user(person) for person in demo.EVERYBODY}
            self._baskets(users)
            self._story(users)
            self._commission(users)
        except (Failure, GatewayError, story.StoryStuck, world.SandboxRefused) as error:
            raise CommandError(f"The demo is not complete: {error}\nGo on with: ./run seed_demo") from error
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

    def _baskets(self, users: dict[str, User]) -> None:
        """Shares with prices, and two baskets: drafted by the maker, published by the checker."""
        if not Security.objects.exists():
            synced = securities.sync(at=clock.now())
            securities.refresh_prices(at=clock.now())
            codes.refresh(at=clock.now())
            self._say(f"{synced.listed:,} shares from the sandbox's NSE")
        maker, checker = (users[person.email] for person in demo.STAFF[:2])
        for basket in demo_baskets.BASKETS:
            if not Basket.objects.filter(slug=basket.slug).exists():
                demo_baskets.publish(basket, maker=maker, checker=checker)
                self._say(f"basket {basket.name}")

    def _partners(self) -> None:
        for code, name in demo.PARTNERS.items():
            head = Partner.objects.filter(code=demo.HEADS.get(code, "")).first()
            Partner.objects.get_or_create(code=code, defaults={"name": name, "head": head})

    def _firms(self, users: dict[str, User]) -> None:
        """Another firm is asked for by whoever works at the head."""
        person = demo.PARTNER_USERS[0]
        head = Partner.objects.get(code=person.partner)
        if not FirmRequest.objects.filter(head=head).exists():
            name, arn, email, basis = demo.ASKED_FOR
            firms.ask(
                head=head, name=name, arn=arn, email=email, basis=basis, actor=users[person.email], at=clock.now()
            )
            self._say(f"{name}, asked for by {head}")

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
        return user

    def _story(self, users: dict[str, User]) -> None:
        """What the four investors have done so far."""
        asha, bharat, chitra = demo.INVESTORS[:3]
        self._holdings(asha, users[asha.email])
        self._sip(asha, users[asha.email])
        if not Investor.objects.filter(user=users[bharat.email]).exists():
            story.ask_kyc(users[bharat.email], pan=bharat.pan)
            self._say(f"{bharat.name}: {bharat.state}")
        self._waiting_order(chitra, users[chitra.email])
        self._applicants(users)
        for person in (asha, chitra):
            self._brought(person, users[person.email])
        for person in demo.PARTNER_USERS:
            if not PartnerMember.objects.filter(user=users[person.email]).exists():
                partner = Partner.objects.get(code=person.partner)
                partners.add_member(partner=partner, user=users[person.email], actor=audit.SYSTEM, at=clock.now())
        self._firms(users)

    def _commission(self, users: dict[str, User]) -> None:
        """What fund houses in which somebody holds units should have paid, what came, and what a partner gets of it."""
        maker, checker = (users[person.email] for person in demo.STAFF[:2])
        for house in demo_commission.unrated():
            demo_commission.agree(house, maker=maker, checker=checker)
            demo_commission.expect()
            self._say(f"commission rates of {house}")
        if statement := demo_commission.received(maker=maker):
            self._say(f"commission statement {statement.code}")
        partner = Partner.objects.get(code=demo.PARTNER_USERS[0].partner)
        if demo_commission.share(partner, maker=maker, checker=checker):
            self._say(f"share of {partner}")
        for payout in demo_commission.hand_on(partner, maker=maker, checker=checker):
            self._say(f"payout {payout.code}, {payout.get_state_display()}")

    def _brought(self, person: demo.Person, user: User) -> None:
        """Through their partner, before they order, so that the partner is told of it."""
        partner = Partner.objects.get(code=person.partner)
        Investor.objects.filter(user=user, partner=None).update(partner=partner)

    def _applicants(self, users: dict[str, User]) -> None:
        """One at each stage of an application: invited, in progress, and stopped while our team looks."""
        farah, girish = demo.APPLICANTS
        maker = users[demo.STAFF[0].email]
        if story.invite(demo.INVITED, by=maker):
            self._say(f"{demo.INVITED.name}: {demo.INVITED.state}")
        if story.invite(farah, by=maker):
            story.accept_invite(users[farah.email])
            self._say(f"{farah.name}: {farah.state}")
        if not Investor.objects.filter(user=users[girish.email]).exists():
            story.stopped(users[girish.email], pan=girish.pan)
            self._say(f"{girish.name}: {girish.state}")

    def _holdings(self, person: demo.Person, user: User) -> None:
        """Bought in the past of the sandbox's world, so that there are gains to look at."""
        done = MfOrder.objects.filter(investor__user=user, state=lifecycle.ALLOTTED)
        if done.count() >= len(BOUGHT):
            return
        try:
            for days_ago, category, amount in BOUGHT:
                order = MfOrder.objects.filter(investor__user=user, scheme__category=category).first()
                if order and order.state == lifecycle.ALLOTTED:
                    continue
                world.move({"at": story.on_business_morning(days_ago).isoformat()})
                investor = story.get_ready(
                    user, pan=person.pan, born_on=date(1990, 5, 17), mobile="9845012345", account="50100012341121"
                )
                self._brought(person, user)
                order = order or story.buy(investor, story.a_fund(category).isin, amount)
                story.pay_and_allot(order)
                nav_fetch.fetch_past(amfi_code=order.scheme.amfi_code or 0, at=datetime.now(tz=clock.IST))
                self._say(f"{person.name} bought {order.scheme.name} {days_ago} days ago")
        finally:
            world.move({"at": datetime.now(tz=clock.IST).isoformat()})

    def _sip(self, person: demo.Person, user: User) -> None:
        """A mandate that the bank has approved, and a SIP that is debited by it, in the fund that she holds."""
        investor = Investor.objects.get(user=user)
        if Plan.objects.filter(investor=investor).exists():
            return
        approved = Mandate.objects.filter(investor=investor, state=Mandate.State.APPROVED)
        mandate = approved.select_related("bank_account").first() or story.give_mandate(investor, SIP_LIMIT)
        funds = (order.scheme for order in MfOrder.objects.filter(investor=investor).select_related("scheme"))
        fund = next((each for each in funds if not plans.why_not(each, clock.today())), None)
        if fund is not None:
            plan = story.start_sip(investor, fund.isin, SIP, mandate)
            self._say(f"{person.name}: {plan.code}, {SIP:,} rupees a month in {fund.name}")

    def _waiting_order(self, person: demo.Person, user: User) -> None:
        if MfOrder.objects.filter(investor__user=user).exists():
            return
        investor = story.get_ready(
            user, pan=person.pan, born_on=date(1985, 11, 2), mobile="9845054321", account="50100056781121"
        )
        self._brought(person, user)
        category, amount = WAITING
        order = story.buy(investor, story.a_fund(category).isin, amount)
        self._say(f"{person.name}: order {order.code} awaits payment")
