"""Investor pages about themselves: function views, one call inward each."""
