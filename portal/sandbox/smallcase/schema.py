"""smallcase's tables. Prices are exact text; times are epoch seconds of the world's clock."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS sc_transactions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, intent TEXT NOT NULL, config TEXT NOT NULL,
  notes TEXT, status TEXT NOT NULL, auth_id TEXT, broker TEXT, account TEXT, amo INTEGER NOT NULL DEFAULT 0,
  error TEXT, error_code INTEGER, created_at REAL NOT NULL, expires_at REAL NOT NULL, triggered_at REAL);
CREATE INDEX IF NOT EXISTS sc_transactions_notes ON sc_transactions (notes) WHERE notes IS NOT NULL;
CREATE TABLE IF NOT EXISTS sc_batches (
  id TEXT PRIMARY KEY, transaction_id TEXT NOT NULL UNIQUE REFERENCES sc_transactions (id), variety TEXT NOT NULL,
  status TEXT NOT NULL, placed_at REAL NOT NULL, completed_at REAL);
CREATE TABLE IF NOT EXISTS sc_orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, batch_id TEXT NOT NULL REFERENCES sc_batches, ticker TEXT NOT NULL,
  side TEXT NOT NULL, quantity INTEGER NOT NULL, filled INTEGER NOT NULL DEFAULT 0, price TEXT NOT NULL DEFAULT '0',
  status TEXT NOT NULL, error_code TEXT, message TEXT, exchange_order_id TEXT);
CREATE INDEX IF NOT EXISTS sc_orders_batch ON sc_orders (batch_id);
CREATE TABLE IF NOT EXISTS sc_accounts (
  id TEXT PRIMARY KEY, broker TEXT NOT NULL, user TEXT NOT NULL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sc_holdings (
  account TEXT NOT NULL REFERENCES sc_accounts, ticker TEXT NOT NULL, quantity INTEGER NOT NULL, cost TEXT NOT NULL,
  PRIMARY KEY (account, ticker)) WITHOUT ROWID;
"""
