"""The one glossary: what the business's words mean, in one or two plain sentences each.

Pages show an entry with `{% glossary "exit load" %}`. Keys are lower case. Where a rule of the regulator stands behind
the words, it is named, so that the next editor knows what to check.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A word as people read it, and its meaning."""

    word: str
    meaning: str


def _entries(*pairs: tuple[str, str]) -> dict[str, Entry]:
    return {word.lower(): Entry(word, meaning) for word, meaning in pairs}


GLOSSARY: dict[str, Entry] = _entries(
    (
        "NAV",
        "Net asset value: the price of one unit of a fund. Fund houses work it out once every business day.",
    ),
    ("unit", "A share of a fund. Your money divided by the NAV of your day gives your units."),
    (
        "circuit limit",
        "The lowest and highest price at which a share may trade today. The exchange sets both from the last close; "
        "orders beyond them are refused.",
    ),
    (
        "order book",
        "The orders that wait at the exchange: what buyers offer to pay, and what sellers ask for, best price first.",
    ),
    ("folio", "Your account number with one fund house. It can hold several of its funds."),
    ("fund house", "The asset management company (AMC) that runs a fund."),
    (
        "exit load",
        "A charge taken from your money if you sell before a set time. The fund's documents say how much and when.",
    ),
    ("lock-in", "A time during which units cannot be sold. For ELSS it is three years from each purchase."),
    (
        "ELSS",
        "Equity linked savings scheme: three years of lock-in; can count for section 80C under the old tax regime.",
    ),
    ("ISIN", "The 12-character code that names one plan and option of a fund, the same everywhere."),
    (
        "KYC",
        "Know your customer: the identity check that the law asks for before you may invest.",
    ),
    (
        "KRA",
        "KYC registration agency: keeps your identity check, so that it is done once for all fund houses.",
    ),
    ("PAN", "Permanent account number: ten characters from the Income Tax Department, such as ABCDE1234F."),
    ("FATCA", "A declaration of the countries where you pay tax. Indian law asks every investor for it."),
    ("CKYC", "The central KYC registry of India and the 14-digit number it gives you."),
    ("XIRR", "Your yearly return, taking into account when each rupee went in and came out."),
    ("absolute return", "Gain divided by what you invested, whatever time it took."),
    ("day change", "What your holding gained or lost between the last two published NAVs."),
    (
        "IDCW",
        "Income distribution cum capital withdrawal: pays out now and then, partly from your own capital.",
    ),
    ("growth", "The option that pays nothing out: gains stay in the fund and show in its NAV."),
    ("regular plan", "Bought through a distributor, who is paid commission out of the fund's expenses."),
    (
        "direct plan",
        "Bought from the fund house without a distributor. Its expenses are lower, because no commission is paid.",
    ),
    ("expense ratio", "The yearly cost of running the fund, in percent. It is already taken off the NAV."),
    (
        "risk-o-meter",
        "The fund's own risk label, from low to very high. Fund houses review it every month (SEBI).",
    ),
    ("benchmark", "The index that a fund compares itself with."),
    ("SIP", "Systematic investment plan: a fixed amount into a fund on a fixed day."),
    ("lumpsum", "One purchase, paid once."),
    ("redemption", "Selling units back to the fund house. The money goes to your bank account."),
    (
        "switch",
        "Moving money from one fund to another of the same fund house. For tax it is a sale and a purchase.",
    ),
    ("NFO", "New fund offer: the days on which a new fund is sold before its first NAV."),
    (
        "cut-off time",
        "The time of day by which your money must have reached the fund house to get that day's NAV.",
    ),
    ("allotment", "The fund house adds the units to your folio. From then on they are yours."),
    ("stamp duty", "A tax of 0.005% that is taken from each purchase before units are allotted."),
    ("mandate", "Your permission to your bank to debit instalments up to a limit."),
    ("UMRN", "Unique mandate reference number: the bank system's number for your mandate."),
    ("UPI", "Unified Payments Interface: paying from your bank account with a phone app."),
    ("net banking", "Paying on your bank's own site."),
    ("IFSC", "The 11-character code of a bank branch. It stands on your cheque book."),
    (
        "nominee",
        "The person who receives your units if you die. Here you may name up to three, or say that you want none.",
    ),
    ("RTA", "Registrar and transfer agent: keeps the unit records for the fund house (CAMS or KFintech)."),
    ("AMC", "Asset management company: the fund house."),
    ("AMFI", "Association of Mutual Funds in India. It registers distributors and publishes the NAVs."),
    ("ARN", "AMFI registration number: the number of the distributor."),
    (
        "EUIN",
        "The number of the person at a distributor who advises you. Orders placed here are execution only, without "
        "advice, and carry none.",
    ),
    (
        "CAS",
        "Consolidated account statement: all your mutual fund holdings from all fund houses in one document.",
    ),
    (
        "capital gain",
        "What you earned on units you sold. Whether it is short or long term depends on how long you held them.",
    ),
    (
        "trail",
        "Commission that a fund house pays for as long as units are held: a yearly rate of their value, day by day. "
        "It is the only commission on new money since SEBI's circular of 22 October 2018.",
    ),
    (
        "TDS",
        "Tax deducted at source: withheld from a payment and paid to the Income Tax Department in the name of whoever "
        "gets the payment, who sees it in Form 26AS.",
    ),
    ("UTR", "Unique transaction reference: the number by which banks find one transfer."),
    ("AUM", "Assets under management: all the money in a fund."),
)
