"""Investors and what they have authorised, as operations see them: identifiers masked, nothing to edit."""

from investors.admin import (
    applications,
    banks,
    cases,
    changes,
    consents,
    doubles,
    invites,
    kyc,
    kyc_checks,
    mandates,
    merges,
    papers,
    person,
    transfers,
)

__all__ = [
    "applications",
    "banks",
    "cases",
    "changes",
    "consents",
    "doubles",
    "invites",
    "kyc",
    "kyc_checks",
    "mandates",
    "merges",
    "papers",
    "person",
    "transfers",
]
