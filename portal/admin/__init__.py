"""The admin of operations: what every app's admin pages share, and the kernel's own pages.

base        read-only pages with confirmed acts, search and paging    acts        what an act is
timeline    audit entries and provider calls in words                 show        badges, ages, rupees, links
filters     stuck, unknown                                            finding     search through indexes
money       what orders and payments share
home        the first page, made of parts that apps register          menu        the side navigation

proposed    pages of what two persons keep as data      desk                the inbox, proposals, rules
work, evidence, notices, people, partners, firms, role_changes, system    the kernel's own pages
broadcasts  messages that staff write to many people
pending     what waits for a second person about a record
providers   how the providers are, on the first page    queues      how old the queues are, there too
health      both and the machine on a page of its own
"""

from portal.admin import (
    broadcasts,
    bulk,
    desk,
    evidence,
    firms,
    notices,
    partners,
    people,
    providers,
    queues,
    role_changes,
    system,
    wordings,
    work,
)
from portal.admin.home import dashboard
from portal.admin.menu import favicon, navigation, stylesheet

__all__ = [
    "broadcasts",
    "bulk",
    "dashboard",
    "desk",
    "evidence",
    "favicon",
    "firms",
    "navigation",
    "notices",
    "partners",
    "people",
    "providers",
    "queues",
    "role_changes",
    "stylesheet",
    "system",
    "wordings",
    "work",
]
