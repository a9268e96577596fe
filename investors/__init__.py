"""People: who they are, and what they have authorised (KYC, bank accounts, consents)."""
