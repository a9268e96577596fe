"""System checks: a laptop's defaults are fatal in live mode, and sandbox and live cannot be mixed.

Each error says how to repair it. They run at every start (`manage.py check`, `migrate`, `up`) and in CI with a
production-like environment.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import Error, register

from portal.gateway import journal
from portal.gateway.transport import is_loopback

MODES = ("sandbox", "live")
# What each broker needs of its own once it is switched on.
BROKER_SETTINGS = {
    "smallcase": ("SMALLCASE_BASE_URL", "SMALLCASE_GATEWAY", "SMALLCASE_SECRETS", "SMALLCASE_API_SECRETS"),
    "odin": ("ODIN_BASE_URL", "ODIN_WEB_URL", "ODIN_APP_TOKEN", "ODIN_OMEX_TOKEN"),
    "5paisa": (
        "FIVEPAISA_BASE_URL",
        "FIVEPAISA_LOGIN_URL",
        "FIVEPAISA_APP_KEY",
        "FIVEPAISA_ENCRYPTION_KEY",
        "FIVEPAISA_USER_ID",
    ),
}


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"portal.E{number:03}")


@register()
def the_world_is_one(**_: Any) -> list[Error]:
    """Sandbox mode speaks to loopback only, live mode never does."""
    if settings.MODE not in MODES:
        return [_error(1, f"MODE is {settings.MODE!r}", "Set MODE=sandbox or MODE=live.")]
    wrong = [name for name, url in settings.PROVIDER_BASE_URLS.items() if is_loopback(url) != settings.SANDBOX]
    return [
        _error(
            2,
            f"{settings.MODE} mode with the address of {name} in the other world",
            "Sandbox mode needs addresses on this machine, live mode the provider's own; the two never mix.",
        )
        for name in wrong
    ]


@register()
def live_has_no_laptop_defaults(**_: Any) -> list[Error]:
    """What is harmless on a laptop is refused where money is real."""
    if settings.SANDBOX:
        return []
    return [_error(number, message, hint) for number, message, hint, wrong in _live_rules() if wrong]


def _live_rules() -> list[tuple[int, str, str, bool]]:
    return [
        (
            3,
            "SECRET_KEY is the laptop's",
            "Set SECRET_KEY to 50 random characters.",
            settings.SECRET_KEY == settings.DEV_SECRET_KEY,
        ),
        (
            4,
            "FIELD_KEYS holds the laptop's key",
            "Set FIELD_KEYS to fresh Fernet keys, newest first.",
            settings.DEV_FIELD_KEY in settings.FIELD_KEYS,
        ),
        (
            5,
            "INDEX_KEYS holds the laptop's key",
            "Set INDEX_KEYS to fresh random keys, newest first.",
            settings.DEV_INDEX_KEY in settings.INDEX_KEYS,
        ),
        (6, "DEBUG is on", "Unset DEBUG.", settings.DEBUG),
        (
            7,
            "PUBLIC_URL is not https",
            "Set PUBLIC_URL to the https address that people open.",
            not settings.HTTPS,
        ),
        (
            8,
            "FP_SECRET is the sandbox's",
            "Set FP_TENANT, FP_API_KEY_ID and FP_SECRET.",
            settings.FP_SECRET == "sandbox-secret",  # noqa: S105 - the check itself
        ),
        (9, "the embedded PostgreSQL is for laptops", "Set DATABASE_URL.", settings.DATABASE_IS_EMBEDDED),
        (10, "the folder queue is for laptops", "Set REDIS_URL.", not settings.REDIS_URL),
        (
            11,
            "staff may open the admin without a second factor",
            "Unset STAFF_SECOND_FACTOR.",
            not settings.STAFF_SECOND_FACTOR,
        ),
        (
            12,
            "e-mail goes to a file",
            "Set EMAIL_BACKEND or EMAIL_HOST.",
            "filebased" in settings.EMAIL_BACKEND,
        ),
        (
            13,
            "BRAND_ARN is a placeholder",
            "Set BRAND_ARN and BRAND_EUIN to your own.",
            settings.BRAND["arn"] == "ARN-000000",
        ),
        (
            21,
            "webhooks of partners may go to this machine",
            "Unset WEBHOOK_LOOPBACK.",
            settings.WEBHOOK_LOOPBACK,
        ),
    ]


@register()
def brokers_that_are_on_have_their_own_credentials(**_: Any) -> list[Error]:
    """A broker in BROKERS is one we know; in live mode it has its own address and credentials."""
    unknown = set(settings.BROKERS) - set(BROKER_SETTINGS)
    found = [
        _error(15, f"BROKERS names {name!r}", f"Known are {', '.join(BROKER_SETTINGS)}.") for name in sorted(unknown)
    ]
    if settings.SANDBOX:
        return found
    names = [name for broker in settings.BROKERS for name in BROKER_SETTINGS.get(broker, ())]
    return found + [
        _error(16, f"{name} is empty, the sandbox's or not https", f"Set {name}, or take its broker out of BROKERS.")
        for name in names
        if not _is_for_live(name, getattr(settings, name))
    ]


def _is_for_live(name: str, value: str | list[str]) -> bool:
    values = [value] if isinstance(value, str) else value
    laptops = [each for each in values if not each or each.startswith("sandbox-") or each == "gatewaydemo"]
    return bool(values) and not laptops and (not name.endswith("_URL") or str(value).startswith("https://"))


@register()
def the_journal_is_kept_long_enough(**_: Any) -> list[Error]:
    """CERT-In, directions of 28 Apr 2022, (iv): logs are kept for a rolling period of 180 days."""
    if settings.JOURNAL_DAYS >= journal.KEPT_AT_LEAST_DAYS:
        return []
    words = f"JOURNAL_DAYS is {settings.JOURNAL_DAYS}: calls to providers would be forgotten too soon"
    return [_error(20, words, f"Keep them for {journal.KEPT_AT_LEAST_DAYS} days or more.")]


@register()
def keys_are_keys(**_: Any) -> list[Error]:
    """Field keys must be Fernet keys, or the first encrypted value fails in front of an investor."""
    try:
        for key in settings.FIELD_KEYS:
            Fernet(key)
    except ValueError:
        return [
            _error(
                14,
                "FIELD_KEYS holds something that is no key",
                "Each is 32 random bytes in URL-safe Base64 (44 characters).",
            )
        ]
    return []
