"""Failures that people read. Named failures derive from `Failure` and stand beside the function that raises them.

    Failure                     a business "no": `message` is for the person, `code` for logs and partners
    └── InvalidInput            the same with a place: `field` names the form field it belongs to

Provider trouble is another tree: `portal/gateway/errors.py`.
"""


class Failure(Exception):
    """A refusal that was foreseen. `message` says what happened, whether money moved, and what to do."""

    code = "refused"
    message = "This cannot be done."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message


class InvalidInput(Failure):
    """A refusal that belongs to one field of a form."""

    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
