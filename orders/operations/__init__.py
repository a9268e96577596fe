"""Named writes about schemes, orders and the ledger: one business verb each."""
