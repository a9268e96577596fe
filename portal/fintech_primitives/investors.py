"""Investors, their investment accounts and holdings (document, "Investors", "Investment Account", "Reports")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from portal.fintech_primitives.messages import applications, base, people, records
from portal.fintech_primitives.session import Session, at
from portal.gateway.journal import Fenced

INVESTORS = "/api/onb/investors"
ACCOUNTS = "/api/oms/investment_accounts"


class SearchQuery(base.Paging):
    """By name, e-mail or PAN, by bank accounts, by ids: what is given must all hold."""

    query: str = ""
    bank_account_ids: list[base.Identifier] = []
    ids: list[base.Identifier] = []


class Investors(Session):
    """Calls about people."""

    def list_investors(self) -> Iterator[people.Investor]:
        """GET every investor of the tenant, all pages."""
        for page in self._pages(people.InvestorPage, INVESTORS, base.Paging()):
            yield from page.investors

    def search_investors(
        self, query: str = "", *, bank_account_ids: Sequence[str] = (), ids: Sequence[str] = ()
    ) -> list[people.Investor]:
        """GET every investor that matches: name, e-mail or PAN in `query`, or one of these ids."""
        asked = SearchQuery(query=query, bank_account_ids=list(bank_account_ids), ids=list(ids))
        pages = self._pages(people.InvestorPage, f"{INVESTORS}/search", asked)
        return [investor for page in pages for investor in page.investors]

    def fetch_investor(self, investor_id: str) -> people.Investor:
        """GET one investor."""
        return self._get(people.Investor, at(INVESTORS + "/{}", investor_id))

    def create_investor(self, application: applications.NewInvestor, about: Fenced) -> people.Investor:
        """POST an application. Has no reference of ours: look for the PAN before sending it again."""
        return self._post(people.Investor, INVESTORS, application, about)

    def update_investor(
        self, investor_id: str, application: applications.NewInvestor, about: Fenced
    ) -> people.Investor:
        """POST the whole application again. A bank account without `id` is added, one with `id` is changed."""
        return self._post(people.Investor, at(INVESTORS + "/{}", investor_id), application, about)

    def create_investment_account(self, investor_id: str, about: Fenced) -> people.InvestmentAccount:
        """POST an investment account for an investor."""
        ask = applications.NewAccount(primary_investor_id=investor_id)
        return self._post(people.InvestmentAccount, ACCOUNTS, ask, about)

    def list_investment_accounts(self, investor_id: str) -> list[people.InvestmentAccount]:
        """GET the accounts of an investor; empty when there is none."""
        return self._get(people.InvestmentAccounts, ACCOUNTS, {"investor_id": investor_id}).data

    def fetch_holdings(
        self, account_id: str, *, folios: Sequence[str] = (), as_on: date | None = None
    ) -> records.Holdings:
        """GET all folios with current units of an account, or some folios, or as they were on a day."""
        query = records.HoldingsQuery(folios=list(folios), as_on=as_on)
        return self._get(records.Holdings, at(ACCOUNTS + "/{}/holdings", account_id), query.params())

    def fetch_holding_report(
        self, account_id: str | None = None, *, folios: Sequence[str] = (), as_on: date | None = None
    ) -> records.Holdings:
        """GET the holding report of an account or of folios. Raises ValueError for neither."""
        query = records.ReportQuery(investment_account_id=account_id, folios=list(folios), as_on=as_on)
        return self._get(records.Holdings, "/api/oms/reports/holdings", query.params())
