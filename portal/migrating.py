"""How the first migrations make many tables at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation


class CreateTables(Operation):
    """Everything that makes an app's tables, in any order: a foreign key may name a table that stands further down.

    Django draws the models of the whole project anew after each operation. With 110 tables that point at each other
    this is nearly all of the time that an empty database takes. Here they are drawn once, when all are known.

    There is no way back: whoever wants none of the tables drops the database.
    """

    serialization_expand_args = ["operations"]
    reduces_to_sql = True
    reversible = False

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Tell `state` of every table; its models are drawn when somebody asks for them."""
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make the tables. Foreign keys follow at the end of the migration, as Django always has it."""
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """What `migrate --plan` prints."""
        return f"Create {len(self.operations)} tables, triggers and views"
