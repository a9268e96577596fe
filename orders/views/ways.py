"""How an investor wants to pay, as a filled form says."""

from __future__ import annotations

from investors.access import InvestorRequest
from investors.models import Mandate
from orders.forms import PayForm
from orders.operations import purchases
from portal.errors import InvalidInput


def way_of(request: InvestorRequest, form: PayForm) -> purchases.Way:
    """How the investor wants to pay, as a filled form says. Raises InvalidInput for a mandate that is not there."""
    mandate = None
    if form.mandate_code:
        mandate = Mandate.objects.filter(investor=request.investor, code=form.mandate_code).first()
        if mandate is None:
            raise InvalidInput("payment_method", "Choose one of your own mandates.")
    account = mandate.bank_account if mandate else form.cleaned_data["bank_account"]
    return purchases.Way(account, form.method, mandate)
