"""Named reads about people. They write nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, When, Window
from django.urls import reverse

from investors import lifecycle, refusals, steps
from investors.models import Address, Authority, BankAccount, Document, Investor, KycCheck, Nominee, TaxResidence
from investors.steps import Profile, Step
from portal.models import Partner, User
from portal.rows import Columns, first

_INVESTOR = Columns(Investor, "investors_investor")
# The same order as `portal_scope_investor` (migration 0019): whom was chosen, else oneself, else the first.
_OF_USER = f"""
    SELECT {_INVESTOR.sql}, count(*) OVER ()
      FROM investors_investor JOIN investors_authority a ON a.investor_id = investors_investor.id
     WHERE a.user_id = %s AND a.ended_at IS NULL
     ORDER BY a.investor_id = %s DESC NULLS LAST, a.role = 'SELF' DESC, a.id LIMIT 1
"""  # noqa: S608 - our own column names


def of_user(user: User, acting_for: int | None = None) -> Investor | None:
    """The investor for whom a signed-in person acts. What few pages show (PAN, refusals) is read when it is shown.

    `family` on it says for how many people the login may act.
    """
    row = first(_OF_USER, [user.pk, acting_for])
    if row is None:
        return None
    investor = _INVESTOR.take(row)
    investor.family = next(row)
    investor.user = user
    return investor


_BROUGHT = f"SELECT {_INVESTOR.sql} FROM investors_investor WHERE partner_id = %s AND code = %s"  # noqa: S608


def brought_by(partner: Partner, code: str) -> Investor | None:
    """An investor whom the partner brought, by their code; PAN and refusals are read when somebody asks for them."""
    row = first(_BROUGHT, [partner.pk, code])
    return None if row is None else _INVESTOR.take(row)


def applicant(user: User, acting_for: int | None = None) -> Investor | None:
    """The same for the pages of getting ready, with what FP refused."""
    chosen = When(authorities__investor=acting_for, then=0) if acting_for else When(pk=None, then=0)
    own = When(authorities__role=Authority.Role.SELF, then=1)
    mine = Investor.objects.select_related("user").defer("pan", "guardian_pan")
    mine = mine.filter(authorities__user=user.pk, authorities__ended_at=None)
    mine = mine.annotate(people=Window(Count("pk"))).order_by(Case(chosen, own, default=2), "authorities__id")
    found = mine.first()
    if found is not None:
        found.family = found.people
    return found


def people_of(user: User) -> QuerySet[Authority]:
    """Everybody for whom the login may act, oneself first."""
    mine = Authority.objects.filter(user=user, ended_at=None).select_related("investor")
    return mine.order_by(Case(When(role=Authority.Role.SELF, then=0), default=1), "id")


def bank_accounts_of(investor: Investor) -> QuerySet[BankAccount]:
    """The investor's own accounts that are not closed, the primary one first."""
    return BankAccount.objects.filter(investor=investor, closed_at=None).order_by("-is_primary", "id")


_ACCOUNT = Columns(BankAccount, "investors_bankaccount")
_ACCOUNT_OF = f"SELECT {_ACCOUNT.sql} FROM investors_bankaccount WHERE investor_id = %s AND code = %s"  # noqa: S608


def bank_account(investor: Investor, code: str) -> BankAccount:
    """One of the investor's own accounts; its number is decrypted when it is asked for. Raises DoesNotExist."""
    row = first(_ACCOUNT_OF, [investor.pk, code])
    if row is None:
        raise BankAccount.DoesNotExist
    return _ACCOUNT.take(row)


def primary_bank_account(investor: Investor) -> BankAccount | None:
    """The account that is used unless another one is chosen."""
    return bank_accounts_of(investor).first()


_PRIMARY = f"""
    SELECT {_ACCOUNT.sql} FROM investors_bankaccount WHERE investor_id = %s AND closed_at IS NULL
     ORDER BY is_primary DESC, id LIMIT 1
"""  # noqa: S608 - our own column names


def usual_account(investor: Investor) -> BankAccount | None:
    """The same for rules, which never look at its number: that is decrypted when it is asked for."""
    row = first(_PRIMARY, [investor.pk])
    return None if row is None else _ACCOUNT.take(row)


def latest_kyc(investor: Investor) -> KycCheck | None:
    """What the registries said last, about whichever PAN stood on the row then."""
    return KycCheck.objects.filter(investor=investor).order_by("-checked_at", "-id").first()


def nomination_in_words(investor: Investor) -> str:
    """`Lata Rao (mother), 100%`, with the guardian of a minor; or that the investor names nobody, or may not."""
    if investor.is_minor:
        return "None: the folio of a minor has no nominee"
    named = [_nominee_in_words(each) for each in Nominee.objects.filter(investor=investor)]
    return "; ".join(named) or "Nobody, as you declared"


def _nominee_in_words(nominee: Nominee) -> str:
    known = nominee.relationship.lower()
    if nominee.guardian_name:
        guardian = f"{nominee.guardian_name} ({nominee.guardian_relationship.lower()})"
        known += f", born {nominee.date_of_birth:%-d %b %Y}, guardian {guardian}"
    return f"{nominee.name} ({known}), {nominee.share}%"


def profile(investor: Investor) -> Profile:
    """Everything the application consists of. An investor that is not saved yet has nothing."""
    if investor.pk is None:
        return Profile(investor)
    addresses = {each.kind: each for each in Address.objects.filter(investor=investor)}
    elsewhere = investor.tax_resident_only_in_india is False
    return Profile(
        investor,
        kyc=latest_kyc(investor),
        address=addresses.get(Address.Kind.CORRESPONDENCE),
        permanent=addresses.get(Address.Kind.PERMANENT),
        overseas=addresses.get(Address.Kind.OVERSEAS),
        residences=tuple(TaxResidence.objects.filter(investor=investor)) if elsewhere else (),
        nominees=tuple(Nominee.objects.filter(investor=investor)),
        bank=bank_accounts_of(investor).select_related("cancelled_cheque").first(),
        signature=Document.objects.filter(investor=investor, kind="SIGNATURE", replaced_at=None).first(),
    )


@dataclass(frozen=True)
class CheckItem:
    """A line of the checklist; the names fit `components/_steps.html`."""

    slug: str
    title: str
    text: str
    is_done: bool
    problem: str = ""
    is_next: bool = False
    is_open: bool = True
    is_optional: bool = False

    @property
    def is_missing(self) -> bool:
        """Does confirming wait for it?"""
        return not self.is_done and (bool(self.problem) or not self.is_optional)

    @property
    def status(self) -> str:
        """`failed` when something must be corrected, else `done`, `current` or `todo`."""
        if self.problem:
            return "failed"
        return "done" if self.is_done else "current" if self.is_next else "todo"

    @property
    def url(self) -> str:
        """Where this is filled in; empty when it can no longer be changed here."""
        return reverse("investors:step", args=[self.slug]) if self.is_open else ""


def checklist(investor: Investor) -> list[CheckItem]:
    """Every step with whether it is done, what is wrong with it, and where to go. The first missing one is next."""
    return checklist_of(profile(investor))


def checklist_of(found: Profile) -> list[CheckItem]:
    """The same for a profile that was already read."""
    items: list[CheckItem] = []
    nothing_missing_so_far = True
    for step in steps.steps_of(found.investor):
        problem = problem_with(found, step)
        title, about = step.words_for(found.investor)
        is_done = step.is_done(found) and not problem
        items.append(
            CheckItem(
                step.slug,
                title,
                problem or about,
                is_done,
                problem,
                is_next=nothing_missing_so_far and not is_done and not step.is_optional(),
                is_optional=step.is_optional(),
                is_open=may_change(found.investor, step.slug) and _after_pan(items),
            )
        )
        nothing_missing_so_far = nothing_missing_so_far and (is_done or step.is_optional())
    return items


def _after_pan(before: list[CheckItem]) -> bool:
    """The PAN comes first: without it nothing else is of use."""
    return not before or before[0].is_done


def problem_with(found: Profile, step: Step) -> str:
    """What must be corrected in a step that was filled in; empty when nothing."""
    if refusals.by_field(found.investor.refusal, step.slug):
        return "Something here was not accepted. Please correct it."
    if step.slug == steps.PERSONAL and (problem := steps.problem_with_email(found)):
        return problem
    check = found.kyc_of_this_pan
    if step.slug == steps.PAN and check and not check.is_compliant:
        return "The KYC registries did not confirm this PAN."
    return ""


def is_complete(found: Profile) -> bool:
    """Nothing is missing and nothing was refused: it can be confirmed."""
    return not any(item.is_missing for item in checklist_of(found))


def may_change(investor: Investor, slug: str) -> bool:
    """May this step be changed here now? Before confirming all of them, afterwards only what was refused."""
    if investor.state == lifecycle.DRAFT:
        return True
    if investor.state != lifecycle.REGISTERING or investor.attempt:
        return False
    return slug in refusals.steps_of(investor.refusal)


KYC_GOOD_FOR = timedelta(days=30)


def kyc_checks_that_are_old(*, at: datetime, limit: int, besides: Collection[int] = ()) -> list[Investor]:
    """Whom a partner wants checked, then ready investors whose newest check is older than 30 days, the oldest first.

    Of those that nobody asked for, the ones of `besides` are left out.
    """
    wanted = list(Investor.objects.filter(kyc_wanted_at__isnull=False).order_by("kyc_wanted_at")[:limit])
    newest = KycCheck.objects.filter(investor=OuterRef("pk")).order_by("-checked_at").values("checked_at")[:1]
    ready = Investor.objects.filter(state=lifecycle.READY, kyc_wanted_at=None).annotate(kyc_at=Subquery(newest))
    old = ready.filter(kyc_at__lte=at - KYC_GOOD_FOR).exclude(pk__in=besides).order_by("kyc_at")
    return wanted + list(old[: limit - len(wanted)])
