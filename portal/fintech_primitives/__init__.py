"""Fintech Primitives (FP, by Cybrilla): investors, KYC, mutual-fund orders, payments, in the v1 dialect.

Pure wire: messages in, messages out, no Django models.

| file | what |
| --- | --- |
| `client.py` | the client, joined from the subjects below; `client()` is the one of this process |
| `session.py`, `auth.py` | the HMAC login, the token, how calls are sent and answers read |
| `investors.py`, `orders.py`, `plans.py`, `mandates.py` and so on | one method per endpoint, by subject |
| `messages/` | what FP says, read with patience; what we say, refused here when the document forbids it |
| `refusals.py` | the written table of what counts as FP's "no" |
| `repeats.py` | the written table of what may be sent once more after a 401 |

What FP makes us careful about (providers.md section 3):
* `source_ref_id` is optional and the only guard against a second order: we always send it.
* Order lists show only successful orders unless states are named: we always name them.
* Only orders and plans carry a reference of ours. Every other write is looked up before it is sent again.
* Ids may exceed 2^53: they are opaque strings here.
* There are no webhooks in v1: we poll, and the browser's return is only a hint.
"""
