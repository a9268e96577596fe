"""Investor pages about funds, orders and the portfolio: function views, one call inward each."""
