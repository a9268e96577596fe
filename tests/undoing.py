"""Many looks at one world: building Asha's world takes longer than looking at it, so a matrix builds it once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def undone(where: object) -> Iterator[None]:
    """What happens inside is taken back at the end, so that the next line of a matrix finds the world as this one did.

    The database checks what it checks at a commit, as at the end of a test; a failure says at which line it was.
    """
    with transaction.atomic():
        try:
            yield
            connection.check_constraints()
        except BaseException as error:
            error.add_note(f"at: {where}")
            raise
        transaction.set_rollback(True)
