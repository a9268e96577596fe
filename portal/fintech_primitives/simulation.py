"""FP's simulation calls, which only its sandbox has (document, "Simulation")."""

from __future__ import annotations

from portal.fintech_primitives.messages import base, simulation
from portal.fintech_primitives.messages.mandates import MandateStatus
from portal.fintech_primitives.messages.orders import OrderStatus
from portal.fintech_primitives.messages.payments import PaymentStatus
from portal.fintech_primitives.session import Session, at
from portal.gateway.journal import About


class Simulation(Session):
    """Moves things at FP by hand."""

    def simulate_order(self, order_id: str, status: OrderStatus, about: About) -> base.Done:
        """POST the state of an order."""
        ask = simulation.OrderWish(status=status)
        return self._post(base.Done, at("/api/oms/simulate/orders/{}", order_id), ask, about)

    def simulate_next_instalment(self, sip_id: str, about: About) -> base.Done:
        """POST: make the order of a plan's next instalment now. Twice makes two."""
        path = at("/api/oms/simulate/sips/{}/generate_next_installment", sip_id)
        return self._post(base.Done, path, None, about)

    def simulate_payment(self, payment_id: str, status: PaymentStatus, about: About) -> base.Done:
        """POST the state of a payment. SUCCESS and APPROVED need an approved mandate."""
        ask = simulation.PaymentWish(status=status)
        return self._post(base.Done, at("/api/pg/simulate/payments/{}", payment_id), ask, about)

    def simulate_mandate(self, mandate_id: str, status: MandateStatus, about: About) -> base.Done:
        """POST the state of a mandate."""
        ask = simulation.MandateWish(status=status)
        return self._post(base.Done, at("/api/pg/simulate/mandates/{}", mandate_id), ask, about)
