"""Published baskets with launch links, and the orders of baskets. What is ordered is confirmed at the broker."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from investors.api import OWNER
from orders import stock_words
from orders.api.orders import mine
from orders.models import Basket, BasketOrder, StockOrder
from portal.api import catalogue
from portal.api.door import Call
from portal.api.endpoints import reads
from portal.api.shapes import Expand, Filter, Shape, col, made

BASKET = Shape(
    "Basket",
    "A basket of shares that is published.",
    {
        "id": col("id", "slug", "Its id.", example="quality-ten"),
        "name": col("text", "name", "The name.", example="Quality Ten"),
        "rationale": col("text", "rationale", "Why these shares."),
        "risk": col("text", "risk", "The risk.", choices=Basket.Risk.values),
        "launch_url": made("url", "Where a signed-in investor invests in it.", ["slug"],
                           lambda row: settings.PUBLIC_URL + reverse("orders:basket", args=[row["slug"]])),
    },
)  # fmt: skip
STOCK_ORDER = Shape(
    "StockOrder",
    "One share of a basket order.",
    {
        "id": col("id", "code", "Opaque id.", example="STK-7K3F9QW2M4TX"),
        "security": col("text", "security__isin", "The share's ISIN.", example="INE000A01011"),
        "side": col("text", "side", "Bought or sold.", choices=StockOrder.Side.values),
        "quantity": col("count", "quantity", "Shares.", example=4),
        "state": col("text", "state", "Where it stands.", choices=StockOrder.State.values),
    },
)
BASKET_ORDER = Shape(
    "BasketOrder",
    "An order of a basket at a broker.",
    {
        "id": col("id", "code", "Opaque id.", example="BSK-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "basket": col("id", "basket__slug", "The basket.", null=True, example="quality-ten"),
        "broker": col("text", "broker", "At which broker.", example="smallcase"),
        "intent": col("text", "intent", "What for.", choices=BasketOrder.Intent.values),
        "state": col("text", "state", "Where it stands.", choices=BasketOrder.State.values),
        "is_unknown": made("yes", "Sent, and the answer is not known yet.", ["attempt"],
                           lambda row: row["attempt"] == BasketOrder.Outcome.UNKNOWN, example=False),
        "launch_url": made("url", "Where the investor goes on with it.", ["code"],
                           lambda row: settings.PUBLIC_URL + reverse("brokers:order", args=[row["code"]])),
        "created_at": col("moment", "created_at", "When it was begun."),
        "state_since": col("moment", "state_since", "Since when it stands there."),
    },
)  # fmt: skip
_LINES = {"lines": Expand(STOCK_ORDER, lambda call: mine(StockOrder, call), "pk", "basket_order_id", is_many=True)}


def _published(call: Call) -> QuerySet[Basket]:
    return Basket.objects.filter(state=Basket.State.PUBLISHED)


reads("baskets", _published, answer=BASKET, scope="baskets:read", by="slug", one="Read a published basket.",
      many="List published baskets.")  # fmt: skip
reads("basket-orders", lambda call: mine(BasketOrder, call), answer=BASKET_ORDER, scope="basket_orders:read",
      is_steady=True, expands=_LINES, filters={
    "investor": OWNER,
    "basket": Filter("basket__slug", "Only of this basket."),
    "state": Filter("state", "Only in this state.", choices=tuple(BasketOrder.State.values)),
}, one="Read an order of a basket.", many="List orders of baskets, newest first.")  # fmt: skip


catalogue.add("basket_order_states", lambda: dict(BasketOrder.State.choices))
catalogue.add("stock_order_states", lambda: dict(StockOrder.State.choices))
catalogue.add("stock_order_reasons", lambda: dict(stock_words.REASONS))
