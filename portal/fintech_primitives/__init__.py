"""Fintech Primitives (FP, by Cybrilla): investors, KYC, mutual-fund orders, payments, in the v1 dialect.

Pure wire: messages in, messages out, no Django models. `client.py` has one method per endpoint, `messages.py` the
typed answers, `auth.py` the HMAC login, `refusals.py` the written table of what counts as a refusal.

What FP makes us careful about (providers.md section 3):
* `source_ref_id` is optional and the only guard against a second order: we always send it.
* Order lists show only successful orders unless states are named: we always name them.
* Ids may exceed 2^53: they are opaque strings here.
* There are no webhooks in v1: we poll, and the browser's return is only a hint.
"""
