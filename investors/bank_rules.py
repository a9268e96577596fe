"""Whose account and what kind of account may be added: pure rules. ValueError says why."""

from __future__ import annotations

from investors.models import BankAccount, Investor

Kind = BankAccount.Kind
# FEMA (Deposit) Regulations 2016: a non-resident keeps NRE and NRO accounts, a resident neither of them.
KINDS = {
    Investor.Kind.RESIDENT: (Kind.SAVINGS, Kind.CURRENT),
    Investor.Kind.MINOR: (Kind.SAVINGS, Kind.CURRENT),
    Investor.Kind.NRI: (Kind.NRE, Kind.NRO),
}
_TITLES = frozenset("MR MRS MS MISS DR SHRI SMT KUMARI".split())


def kinds_for(investor: Investor) -> list[tuple[str, str]]:
    """The account types that this investor may use, with their words."""
    return [(kind.value, kind.label) for kind in KINDS[Investor.Kind(investor.kind)]]


def check_kind(investor: Investor, kind: str) -> None:
    """Raises ValueError for an account type that the law gives to others."""
    if kind not in KINDS[Investor.Kind(investor.kind)]:
        nri = "A non-resident invests from an NRE or NRO account."
        raise ValueError(nri if investor.kind == Investor.Kind.NRI else "NRE and NRO accounts are for non-residents.")


def check_own_name(investor: Investor, holder: str) -> None:
    """Raises ValueError unless the holder is the investor: initials and left-out middle names are the same person.

    Payments from and to somebody else's account are not allowed (third-party payments; providers.md 3.8, tpv_failed).
    """
    mine, theirs = _words(investor.name), _words(holder)
    shorter, longer = sorted((mine, theirs), key=len)
    if not shorter or not _fits(shorter, longer):
        raise ValueError(f"The account must be your own, in the name on your PAN card: {investor.name}.")


def _words(name: str) -> list[str]:
    return [word for word in name.upper().replace(".", " ").split() if word not in _TITLES]


def _fits(shorter: list[str], longer: list[str]) -> bool:
    """Each word of the shorter name has one of its own in the longer: the same, or an initial of it. One is whole."""
    left, whole = list(longer), 0
    for word in sorted(shorter, key=len, reverse=True):
        found = next((each for each in left if each == word), None)
        whole += found is not None
        found = found or next((each for each in left if _is_initial(word, each)), None)
        if found is None:
            return False
        left.remove(found)
    return whole > 0


def _is_initial(one: str, other: str) -> bool:
    return 1 in (len(one), len(other)) and one[0] == other[0]
