"""What every outbound client shares: transport, error tree, journal, and the client base.

A provider's package states only what differs: its paths, messages, signature, and its written table of refusals.
"""
