"""Investors and what they have authorised, as operations see them: identifiers masked, nothing to edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from investors import applications, lifecycle, rules
from investors.admin import panel, sections  # noqa: F401 - sections registers its parts
from investors.admin.finding import by_contact, by_name, by_own_pan, by_what_others_know
from investors.admin.merges import PROPOSE
from investors.admin.transfers import ASK
from investors.models import Investor
from investors.operations import kyc, registration, unmasking
from portal import audit, clock, looking, redaction
from portal.access import STAFF, access
from portal.admin import home, show
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.filters import StuckFilter, UnknownFilter, stuck
from portal.admin.finding import by_code, by_text
from portal.looking import LASTS

TONES = {lifecycle.DRAFT: "neutral", lifecycle.REGISTERING: "waiting", lifecycle.READY: "done"}
# Registration is two calls; an hour later a person should look.
PATIENCE = {lifecycle.REGISTERING: timedelta(hours=1)}


def _recheck_kyc(investor: Investor, by: By) -> str:
    check = kyc.recheck(investor=investor, at=by.at, actor=by.actor, reason=by.reason)
    return "The registries say: compliant." if check.is_compliant else f"Not compliant: {check.reason or 'no reason'}."


def _register_again(investor: Investor, by: By) -> str:
    registration.register_again(investor_id=investor.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "The registration goes on with a look at the provider."


def _never(investor: Investor, by: By) -> str:
    """Showing in full answers with a page of its own (`InvestorAdmin._perform`)."""
    raise NotImplementedError


MOST_SHARING = 5


def _sharing(investor: Investor) -> list[Investor]:
    """Others with the same mobile number, by its index."""
    same = Investor.objects.filter(mobile=investor.mobile).exclude(pk=investor.pk).order_by("pk")
    return list(same.only("code", "name")[:MOST_SHARING])


def _whose(answer: str) -> str:
    return f"“{Investor.Whose(answer).label}”, says the investor" if answer else "whose it is was never asked"


def _yes_no(field: str, words: str) -> Callable[[Any, Investor], str]:
    """A declaration in words: a red cross beside "politically exposed" would read as a fault."""

    @display(description=words)
    def read(_: Any, investor: Investor) -> str:
        return {True: "Yes", False: "No", None: show.NOTHING}[getattr(investor, field)]

    return read


@admin.register(Investor)
class InvestorAdmin(OpsAdmin):
    """People who invest: how far their registration is, and what was said about it."""

    patience = PATIENCE
    list_display = ("code", "person", "login", "state_and_age", "at_provider", "partner")
    list_filter = (("state", ChoicesCheckboxFilter), StuckFilter, UnknownFilter)
    list_select_related = ("user", "partner")
    ordering = ("-id",)
    finders = (by_code("code"), by_text("provider_ref"), by_own_pan, by_contact, by_name, by_what_others_know)
    search_help_text = "Name, PAN, mobile, email, folio or code"
    change_form_outer_after_template = "admin/investor.html"
    quick = (
        ("Being registered", "state__exact=REGISTERING"),
        ("Stuck", "stuck=1"),
        ("Ready", "state__exact=READY"),
        ("All", ""),
    )
    shows_calls = True
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("code", "state_badge"),
                    ("name", "age_now"),
                    ("pan_masked", "login"),
                    ("kind", "partner"),
                    ("standing", "euin"),
                )
            },
        ),
        (
            "Person",
            {
                "fields": (
                    ("born", "gender"),
                    ("marital_status", "occupation"),
                    ("mobile_masked", "email_is"),
                    ("guardian", "opted_out"),
                )
            },
        ),
        (
            "FATCA and CRS",
            {
                "fields": (
                    ("country_of_birth", "only_in_india"),
                    ("source_of_wealth", "income"),
                    ("exposed", "related_to_exposed"),
                )
            },
        ),
        ("At the provider", {"fields": (("provider_ref", "account"), "attempt_words", "refused")}),
    )

    acts = (
        Act(
            name="recheck-kyc",
            label="Re-check KYC",
            permission="investors.act_investor",
            explain="Asks the KYC registries about this PAN now and keeps their answer beside the earlier ones.",
            run=_recheck_kyc,
            offered=lambda investor: bool(investor.pan),
            icon="verified_user",
        ),
        Act(
            name="register-again",
            label="Register again",
            permission="investors.act_investor",
            explain="Lets a registration that stopped go on. The provider is asked first, so that no second investor "
            "is made; only then is anything sent.",
            run=_register_again,
            offered=lambda investor: investor.state == lifecycle.REGISTERING and not investor.attempt,
            icon="how_to_reg",
        ),
        PROPOSE,
        ASK,
        Act(
            name="unmask",
            label="Show in full",
            permission="investors.unmask_investor",
            explain="Shows PAN, date of birth, mobile number, email and address on the next page, once. The reason "
            "stands in the audit log under your name, and the investor sees that somebody looked.",
            run=_never,
            icon="visibility",
        ),
        Act(
            name="look",
            label="See as the investor",
            permission="investors.look_investor",
            explain="For a quarter of an hour this browser shows the investor's own pages: portfolio, orders, SIPs, "
            "mandates, cases. Nothing can be done there. The reason stands in the audit log under your name, and the "
            "investor reads it with each page that you open.",
            run=_never,
            offered=lambda investor: investor.user.is_active,
            icon="preview",
        ),
    )
    # Answered here: what is shown in full is on the answer's page and nowhere else; a look goes on on other pages.
    unmask, look = acts[-2:]
    opted_out = _yes_no("nomination_opted_out", "Opted out of nomination")
    only_in_india = _yes_no("tax_resident_only_in_india", "Tax resident only in India")
    exposed = _yes_no("is_politically_exposed", "Politically exposed")
    related_to_exposed = _yes_no("is_related_to_politically_exposed", "Related to somebody politically exposed")

    def whose(self, obj: Model) -> Model:
        return obj

    def get_queryset(self, request: HttpRequest) -> QuerySet[Investor]:
        return super().get_queryset(request).select_related("user", "partner").defer("guardian_pan")

    def related(self, obj: Model) -> Sequence[Model]:
        return [about for found in getattr(obj, "sections", ()) for about in found.about]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            obj.sections = panel.of(obj, request.user, clock.now())
            context["panels"] = [found.section for found in obj.sections]
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """One match opens the investor's page; several, or none, the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        keys = self._first_two(request)
        return redirect(show.change_url(Investor, keys[0]) or "") if len(keys) == 1 else super().find_view(request)

    def _first_two(self, request: HttpRequest) -> list[int]:
        term = request.POST.get("q", "").strip()
        if any(name not in ("q", "csrfmiddlewaretoken") for name in request.POST):
            return []  # somebody narrows a list
        rows, _ = self.get_search_results(request, Investor.objects.order_by(), term)
        return list(rows.values_list("pk", flat=True)[:2]) if term else []

    def _perform(self, request: HttpRequest, act: Act, obj: Model, answers: dict[str, Any]) -> HttpResponse:
        if act is self.look:
            return self._look(request, obj, str(answers["reason"]))
        if act is not self.unmask:
            return super()._perform(request, act, obj, answers)
        investor, actor, reason = obj, request.user, str(answers["reason"])
        facts = unmasking.facts_of(investor=investor, actor=actor, reason=reason, at=clock.now())  # type: ignore[arg-type]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": act.label,
            "object": obj,
            "facts": facts,
            "back": self._url_of(obj),
        }
        answer = TemplateResponse(request, "admin/unmasked.html", context)
        answer["Cache-Control"] = "no-store"
        return answer

    def _look(self, request: HttpRequest, obj: Any, reason: str) -> HttpResponse:
        at, actor = clock.now(), request.user
        audit.record(obj, audit.LOOKED_AS, actor=actor, at=at, reason=reason, minutes=LASTS.seconds // 60)  # type: ignore[arg-type]
        looking.begin(request, user_id=obj.user_id, investor_id=obj.pk, name=str(obj), at=at)
        return redirect("home")

    def get_urls(self) -> list[URLPattern]:
        ended = access(STAFF)(self.admin_site.admin_view(require_POST(self.look_end_view)))
        return [path("look/end/", ended, name="investors_investor_look_end"), *super().get_urls()]

    def look_end_view(self, request: HttpRequest) -> HttpResponse:
        """Back from the investor's pages to the investor's record."""
        investor_id = looking.end(request)
        return redirect(show.change_url(Investor, investor_id) or "admin:index" if investor_id else "admin:index")

    @display(description="Application")
    @show.once
    def standing(self, investor: Investor) -> str:
        where = applications.of(investor)
        if where is None:
            return "merged into another investor"
        words = applications.words_of(where)
        badge = show.badge(applications.KINDS[where.stage], where.get_stage_display())
        return show.two(badge, f"{words.title}; {words.who} to act; {applications.clock_of(where, clock.now())}")

    @display(description="Age")
    def born(self, investor: Investor) -> str:
        if investor.date_of_birth is None:
            return show.NOTHING
        return f"{rules.age_on(investor.date_of_birth, clock.today())} years"

    @display(description="Mobile")
    @show.once
    def mobile_masked(self, investor: Investor) -> str:
        if not investor.mobile:
            return show.NOTHING
        others = format_html_join(", ", "{}", ((show.change_link(each, each.code),) for each in _sharing(investor)))
        said = _whose(investor.mobile_is_of)
        shared = format_html("{}; the same number: {}", said, others) if others else said
        return show.two(redaction.mask(investor.mobile), shared)

    @display(description="Email")
    def email_is(self, investor: Investor) -> str:
        return show.two(redaction.mask_email(investor.user.email), _whose(investor.email_is_of))

    @display(description="Guardian")
    def guardian(self, investor: Investor) -> str:
        if not investor.is_minor:
            return "none: of age"
        who = f"{investor.guardian_name or 'not named yet'} ({investor.guardian_relationship.lower() or 'guardian'})"
        return show.two(who, investor.masked_kyc_pan or show.NOTHING)

    @display(description="Name, PAN", ordering="name")
    def person(self, investor: Investor) -> str:
        return show.two(show.cut(investor.name or show.NOTHING), self.pan_masked(investor))

    @display(description="State, since", ordering="state_since")
    def state_and_age(self, investor: Investor) -> str:
        return show.two(self.state_badge(investor), show.since(investor.state_since))

    @display(description="At the provider", ordering="provider_ref")
    def at_provider(self, investor: Investor) -> str:
        return show.two(investor.provider_ref or show.NOTHING, show.attempt_words(investor))

    @display(description="PAN")
    def pan_masked(self, investor: Investor) -> str:
        return investor.masked_pan or show.NOTHING

    @display(description="State", ordering="state")
    def state_badge(self, investor: Investor) -> str:
        if investor.is_unknown:
            return show.badge("checking", "checking")
        if investor.refusal:
            return show.badge("needs", "to be corrected")
        return show.badge(TONES[investor.state], investor.get_state_display())

    @display(description="In this state", ordering="state_since")
    def age_now(self, investor: Investor) -> str:
        return show.since(investor.state_since)

    @display(description="Signs in as")
    def login(self, investor: Investor) -> str:
        return show.change_link(investor.user, redaction.mask_email(investor.user.email))

    @display(description="Gross annual income")
    def income(self, investor: Investor) -> str:
        return f"₹{show.grouped(investor.gross_annual_income)}" if investor.gross_annual_income else show.NOTHING

    @display(description="Investment account")
    @show.once
    def account(self, investor: Investor) -> str:
        return ", ".join(each.provider_ref for each in investor.investmentaccounts.all()) or show.NOTHING

    @display(description="Attempts")
    def attempt_words(self, investor: Investor) -> str:
        return show.attempt_words(investor)

    @display(description="Refused")
    def refused(self, investor: Investor) -> str:
        return show.pretty(investor.refusal)


@home.part(order=50, permission="investors.view_investor")
def investors_part(at: datetime) -> home.Part:
    """Registrations on their way."""
    counts = Investor.objects.filter(state=lifecycle.REGISTERING).aggregate(
        all=Count("pk"),
        stuck=Count("pk", filter=stuck(PATIENCE, at)),
        refused=Count("pk", filter=~Q(refusal=[])),
    )
    tile = home.Tile(
        "Being registered",
        str(counts["all"]),
        f"{counts['stuck']} stuck · {counts['refused']} to be corrected",
        show.list_url(Investor, "state__exact=REGISTERING"),
        "needs" if counts["stuck"] else "neutral",
    )
    return home.Part([tile])
