"""Named reads about people. They write nothing."""

from __future__ import annotations

from django.db.models import QuerySet

from investors.models import BankAccount, Investor


def bank_accounts_of(investor: Investor) -> QuerySet[BankAccount]:
    """The investor's own accounts, the primary one first."""
    return BankAccount.objects.filter(investor=investor).order_by("-is_primary", "id")


def primary_bank_account(investor: Investor) -> BankAccount | None:
    """The account that is used unless another one is chosen."""
    return bank_accounts_of(investor).first()
