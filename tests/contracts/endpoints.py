"""Every documented endpoint of every provider, as data: what the contract tests and the capability matrix read.

One row for each section of a given document that describes a call. Two sections may describe one method and path (a
mandate on paper and an e-mandate are both `POST /api/pg/mandates`); each still has its own row and its own sample.

A provider's rows stand in one table; `ALL` joins the tables. `path` is the template as the document writes it, without
the host. `client` is the method of the provider's client that makes the call.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """One documented call."""

    provider: str
    method: str
    path: str
    client: str
    section: str

    @property
    def name(self) -> str:
        """`GET /api/onb/states`: how samples name the endpoint."""
        return f"{self.method} {self.path}"


def rows(provider: str, table: str) -> tuple[Endpoint, ...]:
    """Rows from lines of `METHOD path | client method | document section`."""
    found = []
    for line in filter(str.strip, table.splitlines()):
        call, client, section = (part.strip() for part in line.split("|"))
        method, path = call.split()
        found.append(Endpoint(provider, method, path, client, section))
    return tuple(found)


# 002: 68 sections, of which several share a method and path: 65 endpoints, `POST/PATCH /kyc_requests/{id}` being two.
FP = rows(
    "fp",
    """
    POST  /api/auth/tenant/login | login | Authentication: Tenant Login
    GET   /api/onb/investors | list_investors | Investors: Investors
    GET   /api/onb/investors/search | search_investors | Investors: Search
    GET   /api/onb/investors/{investor_id} | fetch_investor | Investors: Investor Details
    POST  /api/onb/investors | create_investor | Investors: Create Investor
    POST  /api/onb/investors/{investor_id} | update_investor | Investors: Update Investor
    POST  /api/oms/investment_accounts | create_investment_account | Investment Account: Create Investment Account
    GET   /api/oms/investment_accounts | list_investment_accounts | Investment Account: Investment Accounts
    GET   /api/oms/investment_accounts/{investment_account_id}/holdings | fetch_holdings | Investment Account: Holdings
    GET   /api/oms/investment_accounts/{investment_account_id}/orders | list_account_orders | Investment Account: Orders
    POST  /api/oms/investment_accounts/{investment_account_id}/orders/purchase/netbanking | create_purchase | Orders: Create Lumpsum Order (NETBANKING)
    POST  /api/oms/investment_accounts/{investment_account_id}/orders/purchase/nach | create_nach_purchase | Orders: Create Lumpsum Order (NACH)
    POST  /api/oms/investment_accounts/{investment_account_id}/orders/sell | create_sell | Orders: Create Sell Order
    POST  /api/oms/investment_accounts/{investment_account_id}/orders/sell/instant | create_instant_redemption | Orders: Create Instant Redemption Order
    POST  /api/oms/investment_accounts/{investment_account_id}/orders/sips | create_sips | Orders: Create SIP Order
    GET   /api/oms/investment_accounts/{investment_account_id}/preredemption_summary | fetch_redemption_summary | Orders: Pre Redemption Summary
    GET   /api/oms/investment_accounts/{investment_account_id}/orders/sips | list_sips | Orders: List SIP Order
    GET   /api/oms/investment_accounts/{investment_account_id}/orders/sips/{sip_id} | fetch_sip | Orders: Single SIP Order Detail
    GET   /api/oms/investment_accounts/{investment_account_id}/orders/sips/{sip_id}/installments | list_sip_instalments | Orders: SIP Order Instalment
    PATCH /api/oms/investment_accounts/{investment_account_id}/orders/sips/{sip_id} | update_sip_mandate | Orders: Update SIP Order
    PATCH /api/oms/investment_accounts/{investment_account_id}/orders/sips/{sip_id} | deactivate_sip | Orders: Cancel SIP Order
    PATCH /api/oms/investment_accounts/{investment_account_id}/orders/sips/{sip_id} | cancel_next_instalment | Orders: Cancel SIP Order Instalment
    GET   /api/oms/orders | list_orders | Orders: Orders
    GET   /api/instant_redemption/pre_redemption_summary | fetch_instant_summary | Instant Redemption: Pre Redemption Summary
    POST  /api/instant_redemption/order | place_instant_order | Instant Redemption: Place Order
    GET   /transactions | list_transactions | Transactions: List All Transactions
    POST  /file_operations | create_file_operation | File Operations: Create File Operation
    GET   /file_operations/{id} | fetch_file_operation | File Operations: Get Single File Operation
    GET   /api/oms/investment_accounts/{investment_account_id}/orders | list_account_orders | Order History: Fetch all orders
    GET   /api/oms/investment_accounts/{investment_account_id}/orders/{amc_order_id} | fetch_order | Order History: Fetch Single Order
    GET   /api/oms/investment_accounts/{investment_account_id}/orders/purchase | list_purchases | Order History: Fetch purchase orders
    GET   /api/oms/investment_accounts/{investment_account_id}/orders/sell | list_sells | Order History: Fetch sell orders
    GET   /api/oms/investment_accounts/{investment_account_id}/orders/switch | list_switches | Order History: Fetch switch orders
    GET   /api/oms/reports/holdings | fetch_holding_report | Reports: Holding Report
    POST  /api/oms/simulate/orders/{amc_order_id} | simulate_order | Simulation: Order Simulation
    POST  /api/oms/simulate/sips/{sip_id}/generate_next_installment | simulate_next_instalment | Simulation: SIP Simulation
    POST  /api/pg/simulate/payments/{payment_id} | simulate_payment | Simulation: Payment Simulation
    POST  /api/pg/simulate/mandates/{mandate_id} | simulate_mandate | Simulation: Mandate Simulation
    GET   /api/onb/pincodes | list_pincodes | MasterData: Pincodes
    GET   /api/onb/pincodes/{pincode} | fetch_pincode | MasterData: Pincode
    GET   /api/onb/states | list_states | MasterData: States
    GET   /api/onb/countries | list_countries | MasterData: Countries
    GET   /api/onb/ifsc_codes | list_ifsc_codes | MasterData: IfscCodes
    GET   /api/onb/ifsc_codes/{ifsc_code} | fetch_ifsc | MasterData: IfscCode
    GET   /api/oms/fund_schemes/{isin} | fetch_scheme | MasterData: Single Fund Schemes Detail
    GET   /api/oms/fund_schemes | list_schemes | MasterData: Fund Schemes
    GET   /api/oms/amcs | list_amcs | MasterData: AMCs
    GET   /api/onb/metadata | fetch_metadata | Helper API: Registration MetaData
    POST  /api/pg/mandates | create_nach_mandate | Mandates: Create a mandate (nach)
    GET   /api/pg/mandates/{mandateId} | fetch_mandate | Mandates: Fetch a mandate
    GET   /api/pg/mandates | list_mandates | Mandates: List all mandates
    POST  /api/pg/mandates | create_e_mandate | Mandates: Create an e-mandate
    POST  /api/pg/payments/emandate/auth | authorise_e_mandate | Mandates: Authorize an e-mandate
    POST  /api/pg/payments/netbanking | create_payment | Payments: Net Banking
    POST  /api/oms/bse_payments | create_bse_payment | Payments: BSE Payments
    GET   /api/pg/payments/{payment_id} | fetch_payment | Payments: Get Payment
    GET   /api/pg/payments | list_payments | Payments: Get all Payments
    POST  /api/kyc/check | check_kyc | KYC Checks: Create a kyc check
    GET   /api/kyc/{id} | fetch_kyc_check | KYC Checks: Fetch a kyc check
    PUT   /api/kyc/{id}/refetch | refetch_kyc_check | KYC Checks: Refetch a kyc check
    POST  /kyc_requests | create_kyc_request | KYC Requests: Create a kyc request
    GET   /kyc_requests/{id} | fetch_kyc_request | KYC Requests: Fetch a kyc request
    GET   /kyc_requests | list_kyc_requests | KYC Requests: List all kyc requests
    POST  /kyc_requests/{id} | update_kyc_request | KYC Requests: Update a kyc request
    PATCH /kyc_requests/{id} | update_kyc_request | KYC Requests: Update a kyc request
    POST  /kyc_requests/{id}/simulate | simulate_kyc_request | KYC Requests: Simulate a kyc request
    POST  /files | create_file | Files: Create a file
    GET   /files/{id} | fetch_file | Files: Fetch a file
    GET   /files | list_files | Files: List all files
    """,  # noqa: E501 - a table reads by its lines
)

# 001 names the calls and describes what they answer; their paths are those of providers.md 1.3 and 1.4.
SMALLCASE = rows(
    "smallcase",
    """
    POST  /gateway/{gateway}/transaction | create_transaction | Securities Transactions: Create a transaction
    GET   /v1/{gateway}/engine/transactiondetails | fetch_transaction | Securities Transactions: Fetch transaction details
    GET   /v1/{gateway}/engine/orders/sst | fetch_orders | Securities Transactions: Stocks order details
    GET   /v1/{gateway}/engine/user/holdings | fetch_holdings | Holdings (providers.md 1.4)
    """,  # noqa: E501
)

# 000 describes the button; the calls around it are those of providers.md 2.1, 2.2 and 2.7.
ODIN = rows(
    "odin",
    """
    POST  /productmgmtservice/apiButtonRequest | create_button_request | Invest Button API
    GET   /vasprodmgmt/odinConnectorBrokerList | list_brokers | Broker list (providers.md 2.1)
    GET   /landing/redirect | login_url | Persistence login (providers.md 2.2)
    POST  /omexorderandtraderesponse/sync | sync_events | OMEX sync (providers.md 2.7)
    """,
)

# 003 and 004. The scrip master is described in providers.md 4.6.
FIVEPAISA = rows(
    "5paisa",
    """
    GET   /WebVendorLogin/VLogin/Index | login_url | OAuth Login (Web Based)
    POST  /VendorsAPI/Service1.svc/GetAccessToken | create_access_token | Access Token Generation
    POST  /VendorsAPI/Service1.svc/V1/PlaceOrderRequest | create_order | PlaceOrder
    POST  /VendorsAPI/Service1.svc/V1/ModifyOrderRequest | update_order | ModifyOrder
    POST  /VendorsAPI/Service1.svc/V1/CancelOrderRequest | cancel_order | CancelOrder
    POST  /VendorsAPI/Service1.svc/MultiOrderMargin | fetch_multi_order_margin | MultiOrderMargin
    POST  /VendorsAPI/Service1.svc/V2/OrderStatus | fetch_order_statuses | OrderStatus
    POST  /VendorsAPI/Service1.svc/V4/OrderBook | fetch_order_book | OrderBook
    POST  /VendorsAPI/Service1.svc/V1/TradeBook | fetch_trade_book | TradeBook
    POST  /VendorsAPI/Service1.svc/V2/NetPositionNetWise | fetch_positions | NetPositionNetWise
    POST  /VendorsAPI/Service1.svc/V4/Holding | fetch_holdings | Holding
    POST  /VendorsAPI/Service1.svc/V4/Margin | fetch_margin | Margin
    POST  /VendorsAPI/Service1.svc/v1/MarketSnapshot | fetch_snapshots | MarketSnapshot
    POST  /VendorsAPI/Service1.svc/V1/MarketFeed | fetch_feed | MarketFeed
    POST  /VendorsAPI/Service1.svc/V3/MarketDepth | fetch_depth | MarketDepth
    GET   /VendorsAPI/Service1.svc/ScripMaster/segment/{segment} | list_scrips | Scrip master (providers.md 4.6)
    """,
)

ALL: tuple[Endpoint, ...] = (*FP, *SMALLCASE, *ODIN, *FIVEPAISA)
