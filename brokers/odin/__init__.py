"""ODIN Connector: one login at the broker, then baskets that the person confirms on ODIN's page.

A persistence login gives a session; the button request turns a basket into the address of a page; OMEX tells of orders
and trades, and its sync tells again what was missed. Given document 000 and providers.md section 2. Nothing that ODIN
sends back is signed: a callback only ends a login that we began, and no order moves on its word.
"""
