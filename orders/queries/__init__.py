"""Named reads about schemes, orders and the portfolio. They write nothing."""
