"""The cart: what is in it, one code for all of it, and what became of each line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import BoundField
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from investors import queries as people
from investors.access import InvestorRequest, client_ip, investor_page, ready_investor_page
from investors.models import Consent
from orders.cart_forms import CartForm
from orders.forms import ConfirmForm
from orders.models import Cart, CartLine
from orders.operations import carts, new_houses, purchases
from orders.operations.carts import Checked
from orders.queries import cart_orders, ways
from orders.queries import purchases as purchase_queries
from orders.views import confirming
from orders.views.ways import way_of
from portal import clock, hints, identifiers, jobs, money, typed
from portal.errors import Failure, InvalidInput

# While an investor watches, FP is asked about the payment at most this often.
ASK_EVERY_S = 4


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def cart(request: InvestorRequest) -> HttpResponse:
    """The open cart: amounts and folios can be changed, lines removed, and the whole reviewed."""
    lines = _open_lines(request)
    if request.method == "POST" and lines:
        return _acted(request, lines)
    if not lines:
        return render(request, "orders/cart.html", {"rows": []})
    back = typed.kept(request, once=True)
    form = _form(request, lines, back.data if back else None)
    if back:
        back.show_in(form)
    return render(request, "orders/cart.html", _to_show(request, lines, form))


def _open_lines(request: InvestorRequest) -> list[CartLine]:
    found = Cart.objects.filter(investor=request.investor, confirmed_at=None).first()
    return list(carts.lines_of(found)) if found else []


def _form(request: InvestorRequest, lines: list[CartLine], data: Any) -> CartForm:
    primary = people.primary_bank_account(request.investor)
    total = sum((line.amount for line in lines), money.ZERO)
    advised = ways.advice(
        investor=request.investor, schemes=[line.scheme for line in lines], amount=total, at=clock.now()
    )
    form = CartForm(
        data,
        lines=lines,
        folios=purchase_queries.folios_at(
            investor=request.investor, fund_house_ids=[line.scheme.fund_house_id for line in lines]
        ),
        accounts=people.bank_accounts_of(request.investor).filter(provider_ref__isnull=False),
        ways=ways.choices(advised),
        initial={
            "form_ref": identifiers.new_client_ref(),
            "bank_account": primary.code if primary else None,
        },
    )
    return form


@dataclass(frozen=True)
class Row:
    """A line as the page shows it."""

    line: CartLine
    trouble: str
    nav_on: Any
    amount: BoundField
    folio: BoundField | None


def _to_show(request: InvestorRequest, lines: list[CartLine], form: CartForm) -> dict[str, Any]:
    primary = people.primary_bank_account(request.investor)
    if primary is None:
        raise Http404
    way = purchases.Way(primary, "UPI")
    checked = carts.look(investor=request.investor, lines=lines, way=way, at=clock.now())
    good = [each for each in checked if each.wish]
    return {
        "rows": [_row(each, form) for each in checked],
        "form": form,
        "total": sum((each.line.amount for each in checked), money.ZERO),
        "good_total": sum((each.line.amount for each in good), money.ZERO),
        "good_count": len(good),
        "left_count": len(checked) - len(good),
    }


def _row(each: Checked, form: CartForm) -> Row:
    folio = f"folio_{each.line.pk}"
    return Row(
        each.line,
        each.trouble,
        each.wish.prediction.nav_on if each.wish else None,
        form[f"amount_{each.line.pk}"],
        form[folio] if folio in form.fields else None,
    )


def _acted(request: InvestorRequest, lines: list[CartLine]) -> HttpResponse:
    gone = identifiers.row_key(request.POST.get("remove", ""))
    if gone is not None:
        carts.remove(investor=request.investor, line_id=gone)
        messages.info(request, "Taken out of your cart.")
        return redirect("orders:cart")
    form = _form(request, lines, request.POST)
    if not form.is_valid():
        return typed.again(request)
    try:
        carts.change(investor=request.investor, amounts=form.amounts, folios=form.folios)
        if "review" not in request.POST:
            messages.info(request, "Your cart is saved.")
            return redirect("orders:cart")
        way = way_of(request, form)
        isins = {line.scheme.isin for line in lines}
        new_houses.ask_registries(investor=request.investor, isins=isins, at=clock.now())
        consent = carts.ask(
            investor=request.investor,
            way=way,
            form_ref=form.cleaned_data["form_ref"],
            ip=client_ip(request),
            at=clock.now(),
        )
        return redirect("orders:confirm_cart", code=consent.code)
    except InvalidInput as error:
        return typed.again(request, errors={error.field if error.field in form.fields else "": error.message})
    except Failure as error:
        return typed.again(request, errors={"": error.message})


# --- the one-time code --------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """Every line once more, and the one code that makes each of them an order."""
    if "otp" in request.POST:
        return _place(request, code)
    consent = get_object_or_404(
        Consent.objects.select_related("cart"), code=code, investor=request.investor, purpose="CART"
    )
    if hasattr(consent, "cart"):
        return redirect("orders:cart_done", code=consent.cart.code)
    return confirming.page(request, consent, ConfirmForm, "orders/confirm_cart.html", _beside(request, consent))


def _beside(request: InvestorRequest, consent: Consent) -> dict[str, object]:
    """Funds of the cart that were bought a moment ago, and how many lines stay behind."""
    ordered = carts.line_ids(consent)
    twins = cart_orders.twins(investor=request.investor, line_ids=ordered, at=clock.now())
    left = CartLine.objects.filter(investor=request.investor, cart__confirmed_at=None)
    return {
        "twin": twins,
        "twin_title": "You bought some of this a short while ago",
        "twin_text": f"The same amount of {', '.join(twins)} within the last day." if twins else "",
        "left_count": left.exclude(pk__in=ordered).count(),
    }


def _place(request: InvestorRequest, code: str) -> HttpResponse:
    investor, ip, at = request.investor, client_ip(request), clock.now()

    def act(otp: str, again: bool) -> str:
        done = carts.confirm(investor=investor, code=code, otp=otp, buy_again=again, ip=ip, at=at)
        return reverse("orders:cart_done", args=[done.code])

    def ask_again(consent: Consent) -> Consent:
        return carts.ask_again(investor=investor, consent=consent, ip=ip, at=at)

    form, else_to = ConfirmForm(request.POST), reverse("orders:cart")
    return confirming.taken(request, code, form, act=act, ask_again=ask_again, else_to=else_to)


# --- what became of it --------------------------------------------------------------------------------------------


@require_safe
@never_cache
@investor_page
def done(request: InvestorRequest, code: str) -> HttpResponse:
    """A confirmed cart: each line with its own outcome, what is paid and what is not. Refreshes itself while open."""
    cart = get_object_or_404(Cart, code=code, investor=request.investor, confirmed_at__isnull=False)
    found = cart_orders.read(cart=cart, at=clock.now())
    if found.is_open and hints.first(f"asked-cart-{cart.pk}", ASK_EVERY_S):
        for line in found.lines:
            if line.is_open:
                jobs.nudge("payments.refresh_of_order" if line.waits_for_money else "orders.advance", **line.nudge)
    waiting = sum((line.amount for line in found.lines if line.waits_for_money), money.ZERO)
    other_ways = ways.at_pages(found.pay_with.gateway, waiting, clock.today()) if found.pay_with else []
    context = {"cart": cart, "found": found, "other_ways": other_ways}
    if not request.headers.get("HX-Request"):
        return render(request, "orders/cart_done.html", context)
    return render(request, "orders/_cart_status.html", context)
