"""What every endpoint of the partner API shares; the endpoints themselves stand in each app's `api.py`.

models           keys, members, calls with an Idempotency-Key
partners         who works at a partner, the scope of a partner's connection
keys             making, rotating and revoking keys; tokens
door             who calls: token, key, partner, address, rate
errors           one shape for everything that goes wrong
once             a write with an Idempotency-Key happens once
paging, shapes   lists, filters, what rows look like
schema           the OpenAPI document, made from the same declarations
"""
