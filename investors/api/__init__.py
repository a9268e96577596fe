"""Partner endpoints about people, by module: investors, invitations, KYC, bank accounts with mandates and papers."""

from investors.api import banks, invites, kyc, people
from investors.api.owners import OWNER
from investors.api.people import INVESTOR

__all__ = ["INVESTOR", "OWNER", "banks", "invites", "kyc", "people"]
