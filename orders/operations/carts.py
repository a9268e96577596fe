"""A cart: several purchases under one one-time code and one payment, each line with its own fate.

    add, change, remove    what stands in the open cart, which outlives the session
    look                   every line against today's rules: what would be ordered, and what stands in a line's way
    ask                    the consent to exactly the lines that can be ordered
    confirm                each of those lines is an order of its own; the others stay in the open cart

A confirmed cart is a row of its own into which the ordered lines have moved, so it never changes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from investors import queries as people
from investors.declarations import EXECUTION_ONLY
from investors.models import Consent, Investor
from investors.operations import consents
from orders import calendar
from orders.models import Cart, CartLine, Folio
from orders.operations import purchases
from orders.operations.purchases import LooksLikeAnother, TermsChanged, Way, Wish
from orders.queries import purchases as purchase_queries
from orders.queries.purchases import NEW_FOLIO, Asked, Facts
from portal import audit, money
from portal.errors import Failure, InvalidInput

# What one code can be shown for, and one page can hold.
MOST_LINES = 10


class CartIsFull(Failure):
    """No more lines fit under one code."""

    code = "cart_is_full"
    message = f"A cart holds {MOST_LINES} funds. Confirm these first, or take one out."


class NothingToOrder(Failure):
    """No line of the cart can be ordered at the moment."""

    code = "nothing_to_order"
    message = "Nothing in the cart can be ordered at the moment. What stands in the way is written at each line."


# --- what stands in the cart --------------------------------------------------------------------------------------


def add(*, investor: Investor, isin: str, amount: Decimal, folio: str = "", at: datetime) -> CartLine:
    """The scheme stands in the investor's open cart with this amount; one that stood there already has it from now on.

    Raises purchases.NotForSale, CartIsFull, InvalidInput at its field.
    """
    asked = Asked(isin, amount, folio)
    [facts] = purchase_queries.facts(investor=investor, asked=[asked], at=at)
    wish = purchases.weigh(investor=investor, facts=facts, asked=asked, way=_no_way_yet(investor), at=at)
    with transaction.atomic():
        cart = _open_cart(investor, at)
        same = {"cart": cart, "scheme": wish.scheme, "folio": wish.facts.folio_id}
        line = CartLine.objects.filter(**same).first()
        if line is None:
            if cart.lines.count() >= MOST_LINES:
                raise CartIsFull
            line = CartLine(investor=investor, cart=cart, scheme=wish.scheme, folio_id=wish.facts.folio_id)
        line.amount, line.added_at = amount, at
        line.save()
    return line


def _no_way_yet(investor: Investor) -> Way:
    """For rules that do not depend on how it is paid: the account that is paid from when nothing else is chosen."""
    account = people.primary_bank_account(investor)
    if account is None:
        raise purchases.NotReady
    return Way(account, "UPI")


def _open_cart(investor: Investor, at: datetime) -> Cart:
    """The investor's open cart, locked; made when there is none."""
    Cart.objects.get_or_create(investor=investor, confirmed_at=None, defaults={"created_at": at})
    return Cart.objects.select_for_update().get(investor=investor, confirmed_at=None)


def change(*, investor: Investor, amounts: dict[int, Decimal], folios: dict[int, str]) -> None:
    """Lines of the open cart, by id, have these amounts and folios. Raises InvalidInput("folio_<id>") for two lines
    that would put the same scheme into the same folio."""
    with transaction.atomic():
        lines = {line.pk: line for line in _locked_lines(investor)}
        mine = {folio.number: folio for folio in Folio.objects.filter(investor=investor)}
        for pk, line in lines.items():
            line.amount = amounts.get(pk, line.amount)
            if pk in folios:
                line.folio = mine.get(folios[pk])
        _refuse_twins(lines.values())
        for line in lines.values():
            line.save(update_fields=["amount", "folio"])


def _refuse_twins(lines: Iterable[CartLine]) -> None:
    seen: set[tuple[int, int | None]] = set()
    for line in lines:
        key = (line.scheme_id, line.folio_id)
        if key in seen:
            raise InvalidInput(f"folio_{line.pk}", "Another line puts the same fund into this folio.")
        seen.add(key)


def remove(*, investor: Investor, line_id: int) -> None:
    """The line is no longer in the open cart; a second removal changes nothing."""
    with transaction.atomic():
        # Not while it is being confirmed: the line may be an order by then.
        for line in _locked_lines(investor):
            if line.pk == line_id:
                line.delete()


def _locked_lines(investor: Investor) -> list[CartLine]:
    """Lines of the open cart, the cart locked first."""
    cart = Cart.objects.select_for_update().filter(investor=investor, confirmed_at=None).first()
    return [] if cart is None else list(lines_of(cart))


def lines_of(cart: Cart) -> QuerySet[CartLine]:
    """With what a page or a rule needs of scheme and folio."""
    return cart.lines.select_related("scheme__fund_house", "folio").order_by("pk")


# --- every line against today's rules -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Checked:
    """A line and what would become of it now: a wish that can be ordered, or the reason why not."""

    line: CartLine
    wish: Wish | None
    trouble: str = ""


def look(*, investor: Investor, lines: Sequence[CartLine], way: Way, at: datetime) -> list[Checked]:
    """What would become of each line if it were ordered and paid in this way now. One statement for all."""
    asked = [Asked(line.scheme.isin, line.amount, line.folio.number if line.folio else NEW_FOLIO) for line in lines]
    found = purchase_queries.facts(investor=investor, asked=asked, at=at) if lines else []
    checked: list[Checked] = []
    taken: dict[int, Decimal] = {}
    for line, wants, facts in zip(lines, asked, found, strict=True):
        one = _checked(investor, line, wants, facts, way, taken, at)
        if one.wish:
            house = line.scheme.fund_house_id
            taken[house] = taken.get(house, money.ZERO) + line.amount
        checked.append(one)
    return checked


def _checked(
    investor: Investor,
    line: CartLine,
    asked: Asked,
    facts: Facts | None,
    way: Way,
    taken: dict[int, Decimal],
    at: datetime,
) -> Checked:
    also = taken.get(line.scheme.fund_house_id, money.ZERO)
    try:
        wish = purchases.weigh(investor=investor, facts=facts, asked=asked, way=way, at=at, also=also)
    except Failure as failure:
        return Checked(line, None, failure.message)
    return Checked(line, wish)


# --- what the investor says yes to ----------------------------------------------------------------------------------


def ask(*, investor: Investor, way: Way, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """A consent to all lines that can be ordered stands open, and its code is on the way.

    Raises NothingToOrder, InvalidInput for the way of paying, and what `consents.ask` raises.
    """
    cart = Cart.objects.filter(investor=investor, confirmed_at=None).first()
    lines = list(lines_of(cart)) if cart else []
    good = [each for each in look(investor=investor, lines=lines, way=way, at=at) if each.wish]
    return _ask_for(investor, good, way, form_ref, ip, at)


def _ask_for(investor: Investor, good: list[Checked], way: Way, form_ref: str, ip: str | None, at: datetime) -> Consent:
    if not good:
        raise NothingToOrder
    amounts = [each.line.amount for each in good]
    purchases.check_way(investor=investor, way=way, amounts=amounts, at=at)
    return consents.ask(
        investor=investor,
        purpose=Consent.Purpose.CART,
        form_ref=form_ref,
        shown=_to_confirm(investor, good, way),
        amount=sum(amounts, money.ZERO),
        isin="",
        folio_number="",
        ip=ip,
        at=at,
    )


def shown(good: Sequence[Checked], way: Way) -> dict[str, str]:
    """The purchases as the confirmation page shows them; keys in lower case are what `confirm` acts on."""
    lines = {f"Fund {n}": _in_words(each) for n, each in enumerate(good, 1)}
    total = sum((each.line.amount for each in good), money.ZERO)
    return {
        **lines,
        "Total": money.rupees(total),
        "Pay from": str(way.bank_account),
        "Pay by": way.label,
        **purchases.way_in(way),
        "lines": ",".join(str(each.line.pk) for each in good),
    }


def _in_words(each: Checked) -> str:
    if each.wish is None:
        raise ValueError(f"line {each.line.pk} cannot be ordered: {each.trouble}")
    folio = f"folio {each.wish.facts.folio_number}" if each.wish.facts.folio_number else "a new folio"
    nav_on = calendar.short(each.wish.prediction.nav_on)
    return f"{each.wish.scheme.name}: {money.rupees(each.line.amount)} into {folio}, expected NAV of {nav_on}"


def _to_confirm(investor: Investor, good: Sequence[Checked], way: Way) -> dict[str, str]:
    """With who is nominated in new folios, and that it is execution only."""
    opens_a_folio = any(each.wish and not each.wish.facts.folio_number for each in good)
    nominee = {"Nominee": people.nomination_in_words(investor)} if opens_a_folio else {}
    return {**shown(good, way), **nominee, "declaration": EXECUTION_ONLY}


def ask_again(*, investor: Investor, consent: Consent, ip: str | None, at: datetime) -> Consent:
    """The same form with what can be ordered now: a new code. Raises what `ask` raises."""
    way = purchases.way_of(consent=consent, investor=investor)
    return ask(investor=investor, way=way, form_ref=consent.form_ref, ip=ip, at=at)


def line_ids(consent: Consent) -> list[int]:
    """The lines that a consent is about."""
    return [int(pk) for pk in str(consent.shown["lines"]).split(",")]


def confirm(*, investor: Investor, code: str, otp: object, buy_again: bool, ip: str | None, at: datetime) -> Cart:
    """The investor's code has made each line of the consent an order: now, or by an earlier click.

    One transaction: all lines become orders, or none does. A wrong code is counted and committed. Raises what
    `consents.take` returns, TermsChanged, LooksLikeAnother, ConsentMissing.
    """
    with transaction.atomic():
        consent = consents.lock(investor=investor, code=code, purpose="CART")
        if hasattr(consent, "cart"):
            return consent.cart
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            purchases.hold(investor)
            good = _still_the_same(investor, consent, at)
            if not buy_again and any(each.wish and each.wish.facts.twin_code for each in good):
                raise LooksLikeAnother
            return _order(investor, consent, good, ip, at)
    raise failure


def _still_the_same(investor: Investor, consent: Consent, at: datetime) -> list[Checked]:
    """The lines of the consent, all of which can still be ordered as they were shown. Raises TermsChanged."""
    way, wanted = purchases.way_of(consent=consent, investor=investor), set(line_ids(consent))
    lines = [line for line in _locked_lines(investor) if line.pk in wanted]
    checked = look(investor=investor, lines=lines, way=way, at=at)
    for each in checked:
        if each.wish is None:
            raise TermsChanged(
                f"{each.line.scheme.name} cannot be ordered now: {each.trouble} Nothing was ordered yet."
            )
    now = shown(checked, way)
    if any(consent.shown.get(key) != text for key, text in now.items()):
        raise TermsChanged
    purchases.check_way(investor=investor, way=way, amounts=[each.line.amount for each in checked], at=at)
    return checked


def _order(investor: Investor, consent: Consent, good: list[Checked], ip: str | None, at: datetime) -> Cart:
    """The lines move into a cart that is confirmed, and become orders."""
    purchases.check_fresh(consent, at)
    way = purchases.way_of(consent=consent, investor=investor)
    cart = Cart.objects.create(
        investor=investor,
        consent=consent,
        bank_account=way.bank_account,
        mandate=way.mandate,
        payment_method=way.method,
        created_at=at,
        confirmed_at=at,
    )
    CartLine.objects.filter(pk__in=[each.line.pk for each in good]).update(cart=cart)
    for each in good:
        if each.wish:
            authority = {"cart": cart, "cart_line_id": each.line.pk}
            purchases.create_order(
                each.wish, investor_id=investor.pk, user_ip=ip, at=at, actor=investor.user_id, **authority
            )
    audit.record(cart, "cart.confirmed", actor=f"user:{investor.user_id}", at=at, amount=consent.amount)
    return cart
