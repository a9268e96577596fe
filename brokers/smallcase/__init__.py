"""smallcase Gateway: stocks bought and sold in the investor's own broker account, chosen and confirmed in its SDK.

We create a transaction, the page hands its id to the SDK, and the result is read by webhook (a doorbell) and by API
(the fact). Given document 001 and providers.md section 1; what they leave open is a setting.
"""
