"""Collecting money for orders. Money goes from the investor's bank to the fund house; it never passes through us."""
