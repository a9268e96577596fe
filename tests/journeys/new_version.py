"""A newer version of a basket, drafted by the maker and published by the checker. Run inside the stack.

`python -m tests.journeys.new_version household-names`: its heaviest share gives 8 % to its lightest.
"""

from __future__ import annotations

import sys

import django

MOVED_BP = 800


def main(slug: str) -> None:
    """Draft and publish it."""
    django.setup()
    from orders.models import Basket
    from orders.operations import baskets
    from portal import clock
    from portal.models import User

    maker, checker = (User.objects.get(email=f"{role}@journey.example") for role in ("maker", "checker"))
    basket = Basket.objects.get(slug=slug)
    draft = baskets.copy_version(basket_id=basket.pk, note="More evenly spread.", actor=maker, at=clock.now())
    light, *_, heavy = draft.constituents.order_by("weight_bp", "id")
    for share, moved in ((heavy, -MOVED_BP), (light, MOVED_BP)):
        share.weight_bp = (share.weight_bp or 0) + moved
        share.save(update_fields=["weight_bp"])
    baskets.publish(version_id=draft.pk, actor=checker, at=clock.now())


if __name__ == "__main__":
    main(sys.argv[1])
