"""Tables of 5paisa. Money is whole paise, except the cost of holdings (exact text); times are epoch seconds."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS fivepaisa_clients (code TEXT PRIMARY KEY, cash_paise INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fivepaisa_used_tokens (jti TEXT PRIMARY KEY, used_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fivepaisa_refs (
  client TEXT NOT NULL, ref TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (client, ref)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS fivepaisa_orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, client TEXT NOT NULL, remote_id TEXT NOT NULL, day TEXT NOT NULL,
  exch TEXT NOT NULL, code INTEGER NOT NULL, isin TEXT NOT NULL, symbol TEXT NOT NULL,
  side TEXT NOT NULL, product TEXT NOT NULL, qty INTEGER NOT NULL, old_qty INTEGER NOT NULL DEFAULT 0,
  dis_qty INTEGER NOT NULL, price_paise INTEGER NOT NULL, trigger_paise INTEGER NOT NULL,
  triggered INTEGER NOT NULL DEFAULT 0, validity INTEGER NOT NULL, valid_until REAL NOT NULL, amo TEXT NOT NULL,
  status TEXT NOT NULL, live INTEGER NOT NULL, pending INTEGER NOT NULL, traded INTEGER NOT NULL DEFAULT 0,
  traded_paise INTEGER NOT NULL DEFAULT 0, block_paise INTEGER NOT NULL DEFAULT 0, exch_id TEXT NOT NULL DEFAULT '0',
  reason TEXT NOT NULL DEFAULT '', placed_by TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1,
  created_at REAL NOT NULL, exchange_at REAL, updated_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS fivepaisa_orders_remote ON fivepaisa_orders (client, remote_id);
CREATE INDEX IF NOT EXISTS fivepaisa_orders_any_remote ON fivepaisa_orders (remote_id);
CREATE INDEX IF NOT EXISTS fivepaisa_orders_exch ON fivepaisa_orders (exch_id) WHERE exch_id <> '0';
CREATE INDEX IF NOT EXISTS fivepaisa_orders_day ON fivepaisa_orders (client, day, id);
CREATE INDEX IF NOT EXISTS fivepaisa_orders_updated ON fivepaisa_orders (client, updated_at);
CREATE INDEX IF NOT EXISTS fivepaisa_orders_live ON fivepaisa_orders (client, isin) WHERE live = 1;

CREATE TABLE IF NOT EXISTS fivepaisa_trades (
  id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL REFERENCES fivepaisa_orders, client TEXT NOT NULL,
  day TEXT NOT NULL, qty INTEGER NOT NULL, price_paise INTEGER NOT NULL, pending INTEGER NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS fivepaisa_trades_day ON fivepaisa_trades (client, day, id);
CREATE INDEX IF NOT EXISTS fivepaisa_trades_order ON fivepaisa_trades (order_id);

CREATE TABLE IF NOT EXISTS fivepaisa_days (
  client TEXT NOT NULL, day TEXT NOT NULL, PRIMARY KEY (client, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fivepaisa_positions (
  client TEXT NOT NULL, settled INTEGER NOT NULL DEFAULT 0, day TEXT NOT NULL, exch TEXT NOT NULL,
  code INTEGER NOT NULL, product TEXT NOT NULL, isin TEXT NOT NULL,
  buy_qty INTEGER NOT NULL DEFAULT 0, buy_paise INTEGER NOT NULL DEFAULT 0,
  sell_qty INTEGER NOT NULL DEFAULT 0, sell_paise INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (client, settled, day, exch, code, product)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fivepaisa_holdings (
  client TEXT NOT NULL, isin TEXT NOT NULL, exch TEXT NOT NULL, qty INTEGER NOT NULL, cost TEXT NOT NULL,
  pledged INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (client, isin)) WITHOUT ROWID;
"""
