"""What was asked for, what it became, and what is held: schemes, orders, the ledger."""
