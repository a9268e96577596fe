"""PostgreSQL plans what is asked on every page once per connection: planning takes longer than answering."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.db import connection

from investors.models import Investor
from orders.models import Scheme
from orders.queries import purchases
from orders.queries.purchases import Asked
from portal import clock

pytestmark = pytest.mark.django_db
# psycopg prepares a statement after some calls, then PostgreSQL plans it anew five times before it compares.
BEFORE = 10
KEPT = """
    SELECT coalesce(sum(generic_plans), 0), coalesce(sum(custom_plans), 0)
      FROM pg_prepared_statements WHERE strpos(statement, %s) > 0
"""


def plans(act: Callable[[], object], begins: str, times: int = 20) -> tuple[int, int]:
    """How often the statement ran by a plan that is kept, and by a plan of its own, of so many calls."""
    connection.connection.prepare_threshold = 0
    for _ in range(times):
        act()
    with connection.cursor() as cursor:
        cursor.execute(KEPT, [begins])
        return tuple(map(int, cursor.fetchone()))


@pytest.fixture(autouse=True)
def fresh_connection() -> Iterator[None]:
    """Statements that were prepared before are forgotten, and these afterwards."""
    connection.ensure_connection()
    before = connection.connection.prepare_threshold
    connection.connection.execute("DEALLOCATE ALL")
    connection.connection._prepared.clear()
    yield
    connection.connection.prepare_threshold = before


@pytest.mark.parametrize("wishes", [1, 3])
def test_the_facts_of_a_purchase(asha: Investor, scheme: Scheme, wishes: int):
    asked = [Asked(scheme.isin, Decimal(5_000 + place)) for place in range(wishes)]
    kept, own = plans(lambda: purchases.facts(investor=asha, asked=asked, at=clock.now()), "SELECT ask.n")
    assert own <= 5
    assert kept >= BEFORE
