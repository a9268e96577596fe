"""Tables of the world. Money and units are text (exact decimals); times are epoch seconds of the world's clock."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS due (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL, details TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS due_at ON due (at, id);
CREATE TABLE IF NOT EXISTS stuck (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL, details TEXT NOT NULL,
  failed_at REAL NOT NULL, error TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hidden (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, ref INTEGER NOT NULL, until_real REAL NOT NULL);
CREATE INDEX IF NOT EXISTS hidden_kind ON hidden (kind, until_real);
CREATE TABLE IF NOT EXISTS faults (
  id INTEGER PRIMARY KEY, provider TEXT, method TEXT, path TEXT, at TEXT NOT NULL, mode TEXT NOT NULL,
  remaining INTEGER, delay_s REAL NOT NULL, retry_after TEXT, hits INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS partner_hooks (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL, event TEXT NOT NULL, verdict TEXT NOT NULL,
  body TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS fp_investors (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, pan TEXT, email TEXT, name TEXT, doc TEXT NOT NULL,
  created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS fp_investors_tenant ON fp_investors (tenant, id);
CREATE INDEX IF NOT EXISTS fp_investors_pan ON fp_investors (pan);
CREATE INDEX IF NOT EXISTS fp_investors_email ON fp_investors (email COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS fp_bank_accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, investor_id INTEGER NOT NULL REFERENCES fp_investors,
  account_holder_name TEXT NOT NULL, type TEXT NOT NULL, primary_account INTEGER NOT NULL, number TEXT NOT NULL,
  ifsc_code TEXT NOT NULL, cancelled_cheque TEXT, created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS fp_bank_accounts_investor ON fp_bank_accounts (investor_id);
CREATE TABLE IF NOT EXISTS fp_accounts (
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, primary_investor_id INTEGER NOT NULL REFERENCES fp_investors,
  secondary_investor_id INTEGER, created_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS fp_accounts_investor ON fp_accounts (primary_investor_id);
CREATE TABLE IF NOT EXISTS fp_folios (
  number TEXT PRIMARY KEY, tenant TEXT NOT NULL, account_id INTEGER NOT NULL REFERENCES fp_accounts,
  amc_id INTEGER NOT NULL,
  created_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS fp_folios_account ON fp_folios (account_id, amc_id);

CREATE TABLE IF NOT EXISTS fp_orders (
  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, tenant TEXT NOT NULL,
  account_id INTEGER NOT NULL REFERENCES fp_accounts,
  kind TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, isin TEXT NOT NULL, amc_id INTEGER NOT NULL,
  amount TEXT, units TEXT, reverse_amount TEXT, reverse_units TEXT, price TEXT, trade_date TEXT,
  investment_date TEXT NOT NULL,
  folio_number TEXT, bank_account_id INTEGER, source_ref_id TEXT, sip_id INTEGER, mandate_id INTEGER, pay_by TEXT,
  redemption_mode TEXT, redemption_bank_account_number TEXT, redemption_bank_account_ifsc_code TEXT,
  created_at REAL NOT NULL, confirmed_at REAL, submitted_at REAL, succeeded_at REAL, failed_at REAL, reversed_at REAL,
  cancelled_at REAL, failure_code TEXT, manual INTEGER NOT NULL DEFAULT 0, funds_date TEXT, extra TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS fp_orders_tenant ON fp_orders (tenant, status, investment_date, seq, type);
CREATE INDEX IF NOT EXISTS fp_orders_account ON fp_orders (account_id, status, investment_date, seq, type);
CREATE INDEX IF NOT EXISTS fp_orders_any_ref ON fp_orders (source_ref_id);
CREATE INDEX IF NOT EXISTS fp_orders_account_kind ON fp_orders (account_id, kind, investment_date, seq);
CREATE INDEX IF NOT EXISTS fp_orders_sip ON fp_orders (sip_id, seq) WHERE sip_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS fp_orders_seq ON fp_orders (seq);
CREATE INDEX IF NOT EXISTS fp_orders_folio ON fp_orders (folio_number, isin);
CREATE UNIQUE INDEX IF NOT EXISTS fp_orders_ref ON fp_orders (tenant, source_ref_id) WHERE source_ref_id IS NOT NULL;
-- Lists say how many there are of them all: counted as orders come and change, not whenever somebody asks.
CREATE TABLE IF NOT EXISTS fp_order_counts (
  tenant TEXT NOT NULL, status TEXT NOT NULL, type TEXT NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (tenant, status, type)) WITHOUT ROWID;
INSERT INTO fp_order_counts SELECT tenant, status, type, count(*) FROM fp_orders
  WHERE NOT EXISTS (SELECT 1 FROM fp_order_counts) GROUP BY tenant, status, type;
CREATE TRIGGER IF NOT EXISTS fp_orders_come AFTER INSERT ON fp_orders BEGIN
  INSERT INTO fp_order_counts VALUES (new.tenant, new.status, new.type, 1)
    ON CONFLICT DO UPDATE SET number = number + 1; END;
CREATE TRIGGER IF NOT EXISTS fp_orders_go AFTER DELETE ON fp_orders BEGIN
  UPDATE fp_order_counts SET number = number - 1
    WHERE tenant = old.tenant AND status = old.status AND type = old.type; END;
CREATE TRIGGER IF NOT EXISTS fp_orders_change AFTER UPDATE OF status, type ON fp_orders BEGIN
  UPDATE fp_order_counts SET number = number - 1
    WHERE tenant = old.tenant AND status = old.status AND type = old.type;
  INSERT INTO fp_order_counts VALUES (new.tenant, new.status, new.type, 1)
    ON CONFLICT DO UPDATE SET number = number + 1; END;
CREATE TABLE IF NOT EXISTS fp_refs (
  tenant TEXT NOT NULL, space TEXT NOT NULL, ref TEXT NOT NULL, times INTEGER NOT NULL,
  PRIMARY KEY (tenant, space, ref)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS fp_payments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, payment_type TEXT NOT NULL, status TEXT NOT NULL,
  amount TEXT NOT NULL, debit_date TEXT, failed_reason TEXT, method TEXT, token TEXT,
  token_used INTEGER NOT NULL DEFAULT 0,
  postback_url TEXT, postback_method TEXT NOT NULL DEFAULT 'POST', mandate_id INTEGER,
  late_auth INTEGER NOT NULL DEFAULT 0,
  created_at REAL NOT NULL, submitted_at REAL, debit_confirmed_at REAL, failed_at REAL,
  transfer_initiated_at REAL, settled_at REAL, rejected_at REAL);
CREATE UNIQUE INDEX IF NOT EXISTS fp_payments_token ON fp_payments (token) WHERE token IS NOT NULL;
CREATE INDEX IF NOT EXISTS fp_payments_tenant ON fp_payments (tenant, created_at, id);
CREATE TABLE IF NOT EXISTS fp_payment_orders (
  payment_id INTEGER NOT NULL REFERENCES fp_payments, order_id INTEGER NOT NULL REFERENCES fp_orders,
  position INTEGER NOT NULL, PRIMARY KEY (payment_id, order_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fp_payment_orders_order ON fp_payment_orders (order_id);

CREATE TABLE IF NOT EXISTS fp_kyc_checks (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, pan TEXT NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS fp_kyc_requests (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, tenant TEXT NOT NULL, status TEXT NOT NULL, doc TEXT NOT NULL,
  details TEXT,
  created_at REAL NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS fp_files (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, filename TEXT NOT NULL, content_type TEXT NOT NULL, purpose TEXT,
  content BLOB NOT NULL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS fp_file_operations (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, file TEXT NOT NULL REFERENCES fp_files, type TEXT NOT NULL,
  status TEXT NOT NULL,
  processed INTEGER, failed INTEGER, succeeded INTEGER, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS fp_mandates (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL,
  bank_account_id INTEGER NOT NULL REFERENCES fp_bank_accounts,
  mandate_ref TEXT, valid_from TEXT, valid_to TEXT, mandate_limit TEXT NOT NULL, mandate_type TEXT NOT NULL,
  mandate_status TEXT NOT NULL, umrn TEXT, created_at REAL NOT NULL, received_at REAL, submitted_at REAL,
  approved_at REAL,
  rejected_at REAL, cancelled_at REAL, rejected_reason TEXT, provider_id INTEGER, provider_name TEXT);
CREATE INDEX IF NOT EXISTS fp_mandates_bank ON fp_mandates (bank_account_id);
CREATE TABLE IF NOT EXISTS fp_sips (
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, account_id INTEGER NOT NULL REFERENCES fp_accounts, isin TEXT NOT NULL,
  amount TEXT NOT NULL, start_day INTEGER NOT NULL, start_date TEXT NOT NULL, frequency TEXT NOT NULL,
  installments INTEGER NOT NULL,
  generated INTEGER NOT NULL DEFAULT 0, next_date TEXT, folio_number TEXT, mandate_id INTEGER NOT NULL,
  source_ref_id TEXT,
  active INTEGER NOT NULL DEFAULT 1, failed_in_a_row INTEGER NOT NULL DEFAULT 0, created_at REAL NOT NULL,
  extra TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS fp_sips_ref ON fp_sips (tenant, source_ref_id) WHERE source_ref_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS fp_sips_account ON fp_sips (account_id, created_at);

CREATE TABLE IF NOT EXISTS fp_transactions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, folio_number TEXT NOT NULL, isin TEXT NOT NULL,
  type TEXT NOT NULL,
  amount TEXT NOT NULL, paid TEXT NOT NULL, units TEXT NOT NULL, traded_on TEXT NOT NULL, traded_at TEXT NOT NULL,
  order_id INTEGER,
  corporate_action TEXT, related_transaction_id INTEGER, rta_order_reference TEXT, rta_product_code TEXT,
  rta_investment_option TEXT, rta_scheme_name TEXT, sources TEXT NOT NULL DEFAULT '[]', origin TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS fp_transactions_folio ON fp_transactions (folio_number, isin, traded_on, id);
CREATE INDEX IF NOT EXISTS fp_transactions_order ON fp_transactions (order_id);
CREATE UNIQUE INDEX IF NOT EXISTS fp_transactions_rta ON fp_transactions (tenant, folio_number, rta_order_reference)
  WHERE rta_order_reference IS NOT NULL;
"""
