"""Files of other houses: bytes in, checked lines out. No database, no clock, no network."""
