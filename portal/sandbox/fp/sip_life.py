"""What a SIP remembers of its instalments: three failures in a row end it, and so does the last instalment."""

from __future__ import annotations

from ..world import World

MOST_FAILURES = 3


def instalment_ended(world: World, sip_id: int, status: str) -> None:
    """Called when an instalment's order succeeds or fails."""
    if status == "SUCCESSFUL":
        world.run("UPDATE fp_sips SET failed_in_a_row = 0 WHERE id = ?", sip_id)
    elif status == "FAILED":
        world.run("UPDATE fp_sips SET failed_in_a_row = failed_in_a_row + 1 WHERE id = ?", sip_id)
        world.run("UPDATE fp_sips SET active = 0 WHERE id = ? AND failed_in_a_row >= ?", sip_id, MOST_FAILURES)
