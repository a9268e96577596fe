"""5paisa Xstream: the investor logs in at 5paisa, and we place orders in their account until 23:59 of that day.

Given documents 003 and 004, providers.md section 4. Every answer carries two statuses, one in the head and one in the
body, and HTTP 200 means nothing: `refusals` reads them. Status 0 of an order means accepted by 5paisa's risk
management, not executed. `remote_order_id` is ours and is how an order is found again.
"""
