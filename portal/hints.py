"""What may be forgotten at any moment: the shared cache, when its loss or absence must cost time only, never a page.

Limits (signing in, look-ups) use Django's cache directly: while it is away they raise, and so stay closed.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache

AWAY: tuple[type[Exception], ...] = (OSError,)
if settings.REDIS_URL:
    from redis.exceptions import RedisError  # 20 MB and half a second, which a laptop without Redis need not spend

    AWAY = (RedisError, OSError)

log = structlog.get_logger(__name__)


def get(key: str) -> Any:
    """What was put under the key; None when it is not known, or the cache is away."""
    try:
        return cache.get(key)
    except AWAY as error:
        log.warning("cache_away", error=type(error).__name__)
        return None


def put(key: str, value: object, seconds: float) -> None:
    """Remember for so long, or not at all."""
    try:
        cache.set(key, value, seconds)
    except AWAY as error:
        log.warning("cache_away", error=type(error).__name__)


def first(key: str, seconds: float) -> bool:
    """True for the first who asks within so many seconds; for nobody while the cache is away."""
    try:
        return bool(cache.add(key, 1, seconds))
    except AWAY as error:
        log.warning("cache_away", error=type(error).__name__)
        return False
