"""Pages of buying shares through one's own broker."""
