"""The people of the sandbox's demo: who they are, what state they are in, how to sign in."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from portal import roles

# Known to everybody on purpose: these people exist in the sandbox only (`seed_demo` refuses live mode).
PASSWORD = "sandbox-monsoon-42"  # noqa: S105


@dataclass(frozen=True)
class Person:
    """One demo account."""

    email: str
    name: str
    state: str
    role: str = ""
    partner: str = ""
    pan: str = ""


PARTNERS = {"NORTHSTAR": "Northstar Wealth LLP", "LOTUS": "Lotus Advisors"}
# Who works through whom, and the firm that the head asks for: name, ARN, address, basis.
HEADS = {"LOTUS": "NORTHSTAR"}
ASKED_FOR = ("Hilltop Funds", "ARN-90211", "desk@hilltop.example", "Agreement signed on our first day of the month")

INVESTORS = (
    Person("asha@demo.example", "Asha Rao", "holds two funds, a SIP runs", pan="ASHPR3751C", partner="NORTHSTAR"),
    Person("bharat@demo.example", "Bharat Mehta", "KYC incomplete", pan="BHRPM3753D"),
    Person("chitra@demo.example", "Chitra Nair", "ready, an order awaits payment", pan="CHTPN3751E", partner="LOTUS"),
    Person("esha@demo.example", "Esha Singh", "just signed up"),
)
# On the way to being investors, one at each stage that those above do not show.
APPLICANTS = (
    Person("farah@demo.example", "Farah Khan", "invited by Northstar, filling in", partner="NORTHSTAR"),
    Person("girish@demo.example", "Girish Kamath", "registration stopped: our team looks", pan="GRGPK3751F"),
)
INVITED = Person("hema@demo.example", "Hema Menon", "invited, no account yet", pan="HMAPM3751G", partner="LOTUS")
STAFF = (
    Person("maker@demo.example", "Meera Iyer", "operations, asks", role=roles.MAKER),
    Person("checker@demo.example", "Kabir Khan", "operations, approves", role=roles.CHECKER),
    Person("viewer@demo.example", "Vani Das", "operations, reads", role=roles.VIEWER),
    Person("admin@demo.example", "Arun Bose", "administrator", role=roles.ADMIN),
    Person("admin2@demo.example", "Anita Pillai", "the second administrator, for roles", role=roles.ADMIN),
)
PARTNER_USERS = (
    Person("partner@demo.example", "Priya Shah", "at Northstar Wealth", role=roles.PARTNER, partner="NORTHSTAR"),
)
EVERYBODY = (*INVESTORS, *APPLICANTS, *STAFF, *PARTNER_USERS)


def welcome() -> str:
    """What a newcomer reads when everything runs."""
    rows = [f"    {person.email:22} {person.state}" for person in EVERYBODY]
    return "\n".join(
        [
            "",
            f"  Portal            {settings.PUBLIC_URL}/",
            f"  Operations        {settings.PUBLIC_URL}/admin/",
            f"  Partner console   {settings.PUBLIC_URL}/partner/",
            f"  E-mails and codes {settings.PUBLIC_URL}/outbox/",
            f"  Sandbox control   {settings.SANDBOX_URL}/_control/",
            f"  Webhook receiver  {settings.SANDBOX_URL}/partner/",
            "",
            f"  Sign in with the password {PASSWORD} as",
            *rows,
            "",
            "  Try first: sign in as Asha, find a fund under Funds, buy it for ₹5,000, take the code from the outbox,",
            "  pay at the sandbox's bank page, and watch the order become units. Then see it as maker in Operations.",
            "  Let a day pass: ./run clock advance P1D. Stop everything: Ctrl-C.",
            "",
        ]
    )
