"""Roles: what each kind of person may do in the admin, as one table.

    investor     no admin at all; the investor pages look at whose rows they are, not at permissions
    ops viewer   reads everything, changes nothing
    ops maker    reads everything and works: asks providers again, claims and closes cases, keeps the holiday list
    ops checker  reads everything and approves what a maker asked for (cases of a kind that begins with "approval")
    admin        reads everything and looks after people, partners, gates and the schedule; roles need two of them
    partner      no admin; the partner API looks at whose rows they are

Nobody, in any role, edits a state or an amount: those change through operations only. The table is applied after every
`migrate`, so the database always holds exactly what is written here.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from portal import audit
from portal.errors import Failure
from portal.models import User

INVESTOR = "investor"
VIEWER = "ops viewer"
MAKER = "ops maker"
CHECKER = "ops checker"
ADMIN = "admin"
PARTNER = "partner"

# No group: the flag of a superuser, which passes every check.
EVERY_RIGHT = "every right"

STAFF_ROLES = (VIEWER, MAKER, CHECKER, ADMIN)

# What may be done beside Django's view, add, change and delete: permission -> words for people.
ACTS = {
    "portal.act_case": "Can claim and close cases",
    "portal.approve_case": "Can approve what somebody else asked for",
    "portal.act_workitem": "Can claim, snooze and set aside what needs a person",
    "portal.take_evidence": "Can take the evidence of a record as a sealed file",
    "portal.approve_proposal": "Can approve what somebody else proposed for calendars, rules, words and messages",
    "portal.act_delivery": "Can have a message sent again that did not leave",
    "portal.act_broadcast": "Can stop a message to many",
    "portal.act_inboundevent": "Can work inbound events again",
    "portal.turn_gate": "Can close and open gates",
    "portal.act_user": "Can ask for roles, approve what another one asked for, and switch people off",
    "investors.act_investor": "Can check KYC and register again",
    "investors.unmask_investor": "Can have PAN, mobile and address shown in full, for a reason",
    "investors.look_investor": "Can see an investor's pages as the investor sees them, for a reason",
    "investors.act_invite": "Can invite people, send an invitation again and withdraw it",
    "investors.act_merge": "Can say that two investors are two persons, propose that they are one, and withdraw it",
    "investors.approve_merge": "Can approve, refuse and undo a merge that somebody else proposed",
    "investors.act_transfer": "Can ask that an investor goes to another partner, and stop it",
    "investors.approve_transfer": "Can carry out a transfer that somebody else asked for",
    "investors.act_kycrequest": "Can ask the provider about a fresh KYC, and the investor for a paper again",
    "investors.approve_kycrequest": "Can approve that a fresh KYC goes to the provider",
    "investors.act_mandate": "Can ask the provider about mandates, push them on, and ask that one is cancelled",
    "investors.approve_mandate": "Can approve that a mandate is cancelled",
    "investors.approve_changerequest": "Can approve and refuse changes of details",
    "orders.act_filerun": "Can have files and lists of others read again",
    "orders.act_commissionstatement": "Can enter and withdraw statements of commission",
    "orders.act_payout": "Can put payouts to partners together, withdraw them, and enter how they were paid",
    "orders.approve_payout": "Can approve a payout that somebody else put together",
    "orders.act_plan": "Can ask the provider about SIPs",
    "orders.act_planchange": "Can push on what investors asked about SIPs",
    "orders.act_mforder": "Can ask the provider about orders and send them again",
    "orders.act_basket": "Can draft versions of baskets, and archive them",
    "orders.act_stockorder": "Can ask a broker about share orders, and enter how one ended that stays unknown",
    "orders.approve_stockorder": "Can approve how a share order ended that somebody else entered",
    "orders.approve_basketorder": "Can settle share orders of which the broker tells us nothing",
    "orders.approve_basketversion": "Can publish a version that somebody else drafted",
    "orders.approve_basketchange": "Can approve other words for a basket that somebody else asked for",
    "payments.act_payment": "Can ask the provider about payments",
}

_KERNEL = (
    "user",
    "partner",
    "firmrequest",
    "euin",
    "partnermember",
    "auditentry",
    "gatewaycall",
    "inboundevent",
    "case",
    "gate",
    "heartbeat",
    "rolechange",
    "delivery",
    "notice",
    "workitem",
    "bulkrun",
    "broadcast",
    "wording",
    "proposal",
    "secondpersonrule",
)
_PEOPLE = (
    "investor", "kyccheck", "kycrequest", "document", "address", "nominee", "bankaccount", "investmentaccount",
    "consent", "mandate", "changerequest", "application", "invite", "merge", "transfer",
    "possibledouble",
)  # fmt: skip
_ORDERS = (
    "scheme", "fundhouse", "navrun", "filerun", "holiday", "datedrule", "mforder", "folio", "transaction", "holding",
    "plan", "instalment", "planchange",
    "commissionrate", "commissionshare", "commissionmonth", "commissionstatement", "commissionline", "payout",
    "security", "securitycode", "basket", "basketchange", "basketversion", "basketconstituent", "basketorder",
    "stockorder", "stockchange",
)  # fmt: skip
_VIEW = (
    *(f"portal.view_{name}" for name in _KERNEL),
    *(f"investors.view_{name}" for name in _PEOPLE),
    *(f"orders.view_{name}" for name in _ORDERS),
    *(f"payments.view_{name}" for name in ("payment", "paymentline")),
    *(f"brokers.view_{name}" for name in ("brokeraccount", "orderproof", "newscursor", "sharesettlement")),
)
_SYSTEM = (
    "auth.view_group",
    "account.view_emailaddress",
    "mfa.view_authenticator",
    "usersessions.view_usersession",
    "django_celery_beat.view_periodictask",
    "django_celery_beat.change_periodictask",
    "django_celery_beat.view_intervalschedule",
    "django_celery_beat.view_crontabschedule",
)

GRANTS: dict[str, tuple[str, ...]] = {
    INVESTOR: (),
    PARTNER: (),
    VIEWER: _VIEW,
    MAKER: (
        *_VIEW,
        "portal.act_case",
        "portal.act_workitem",
        "portal.take_evidence",
        "portal.act_inboundevent",
        "portal.act_delivery",
        "portal.act_broadcast",
        "portal.add_broadcast",
        "portal.change_broadcast",
        "investors.act_investor",
        "investors.unmask_investor",
        "investors.look_investor",
        "investors.act_invite",
        "investors.add_invite",
        "investors.act_merge",
        "investors.act_transfer",
        "investors.act_kycrequest",
        "investors.act_mandate",
        "orders.act_filerun",
        "orders.act_mforder",
        "orders.act_plan",
        "orders.act_planchange",
        "orders.act_stockorder",
        "orders.act_basket",
        "orders.add_basket",
        "orders.change_basket",
        "orders.add_basketchange",
        "orders.change_basketversion",
        "orders.change_basketconstituent",
        "payments.act_payment",
        "portal.add_wording",
        "orders.add_holiday",
        "orders.change_holiday",
        "orders.delete_holiday",
        "orders.add_datedrule",
        "orders.delete_datedrule",
        "orders.act_commissionstatement",
        "orders.act_payout",
        "orders.add_commissionrate",
        "orders.delete_commissionrate",
        "orders.add_commissionshare",
        "orders.delete_commissionshare",
    ),
    CHECKER: (
        *_VIEW,
        "portal.approve_case",
        "portal.act_workitem",
        "portal.take_evidence",
        "portal.approve_proposal",
        "portal.act_broadcast",
        "investors.unmask_investor",
        "investors.look_investor",
        "investors.approve_mandate",
        "investors.approve_changerequest",
        "investors.approve_merge",
        "investors.approve_transfer",
        "investors.approve_kycrequest",
        "orders.approve_basketversion",
        "orders.approve_basketorder",
        "orders.approve_stockorder",
        "orders.approve_basketchange",
        "orders.approve_payout",
    ),
    ADMIN: (
        *_VIEW,
        *_SYSTEM,
        "portal.add_user",
        "portal.act_user",
        "portal.act_workitem",
        "portal.turn_gate",
        "portal.act_broadcast",
        "portal.add_secondpersonrule",
        "portal.add_partner",
        "portal.change_partner",
        "portal.add_euin",
        "portal.change_euin",
    ),
}


class OwnAccount(Failure):
    """Nobody switches themselves off."""

    code = "own_account"
    message = "Somebody else has to switch your account off."


def ensure(app_label: str) -> None:
    """The groups exist, and of the permissions that belong to `app_label` each has exactly those of the table."""
    for permission, words in ACTS.items():
        if permission.startswith(f"{app_label}."):
            _make_act(permission, words)
    known = {
        f"{each.content_type.app_label}.{each.codename}": each
        for each in Permission.objects.filter(content_type__app_label=app_label).select_related("content_type")
    }
    for role, granted in GRANTS.items():
        group, _ = Group.objects.get_or_create(name=role)
        wanted = {known[name] for name in granted if name in known}
        held = set(group.permissions.filter(content_type__app_label=app_label))
        group.permissions.remove(*(held - wanted))
        group.permissions.add(*(wanted - held))


def _make_act(permission: str, words: str) -> None:
    app_label, codename = permission.split(".")
    model = codename.split("_", 1)[1]
    kind, _ = ContentType.objects.get_or_create(app_label=app_label, model=model)
    Permission.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": words})


def roles_of(user: User) -> list[str]:
    """The roles a person has, in alphabetical order."""
    return sorted(user.groups.filter(name__in=GRANTS).values_list("name", flat=True))


def held(user: User) -> list[str]:
    """The same for people to read, with the flag that passes every check; reads the groups that were fetched along."""
    every = [EVERY_RIGHT] if user.is_superuser else []
    return [*every, *sorted(group.name for group in user.groups.all())]


def has(user: User, role: str) -> bool:
    """Does the person have this role, or every right?"""
    return user.is_superuser if role == EVERY_RIGHT else user.groups.filter(name=role).exists()


def grant(user: User, role: str) -> None:
    """`user` has `role` from now on; a staff role opens the admin. Raises KeyError for a role that has no grants.

    For commands on the machine; elsewhere the database refuses it without an approved change (`role_changes.py`).
    """
    if role == EVERY_RIGHT:
        _set_superuser(user, True)
    elif role in GRANTS:
        group, _ = Group.objects.get_or_create(name=role)
        user.groups.add(group)
    else:
        raise KeyError(role)
    _match_staff_flag(user)


def withdraw(user: User, role: str) -> None:
    """`user` no longer has `role`; without a staff role the admin is closed to them."""
    if role == EVERY_RIGHT:
        _set_superuser(user, False)
    user.groups.remove(*Group.objects.filter(name=role))
    _match_staff_flag(user)


def _set_superuser(user: User, every_right: bool) -> None:
    user.is_superuser = every_right
    user.save(update_fields=["is_superuser"])


def set_active(*, user: User, active: bool, actor: User, reason: str, at: datetime) -> None:
    """The person may sign in, or may not. Raises OwnAccount when somebody switches themselves off."""
    if user.pk == actor.pk:
        raise OwnAccount
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=active)
        action = "user.switched_on" if active else "user.switched_off"
        audit.record(user, action, actor=actor, at=at, reason=reason)


def _match_staff_flag(user: User) -> None:
    is_staff = user.is_superuser or user.groups.filter(name__in=STAFF_ROLES).exists()
    if is_staff != user.is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
