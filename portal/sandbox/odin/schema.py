"""ODIN's tables. Prices are whole paise, as its messages carry them; times are epoch seconds of the world's clock."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS odin_sessions (
  id TEXT PRIMARY KEY, client TEXT NOT NULL, partner TEXT NOT NULL, user TEXT NOT NULL, day TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS odin_baskets (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, reco_id TEXT NOT NULL UNIQUE, client TEXT NOT NULL, partner TEXT NOT NULL,
  session TEXT NOT NULL, lines TEXT NOT NULL, status TEXT NOT NULL, received INTEGER NOT NULL DEFAULT 1,
  product TEXT NOT NULL, created_at REAL NOT NULL, ended_at REAL);
CREATE TABLE IF NOT EXISTS odin_links (
  product TEXT PRIMARY KEY, basket INTEGER NOT NULL REFERENCES odin_baskets, used_at REAL);
CREATE TABLE IF NOT EXISTS odin_visits (
  id TEXT PRIMARY KEY, client TEXT NOT NULL, product TEXT NOT NULL, auth TEXT NOT NULL, echo TEXT NOT NULL,
  made_at REAL NOT NULL, basket INTEGER REFERENCES odin_baskets);
CREATE INDEX IF NOT EXISTS odin_visits_basket ON odin_visits (basket);
CREATE TABLE IF NOT EXISTS odin_orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE, basket INTEGER NOT NULL REFERENCES odin_baskets,
  segment INTEGER NOT NULL, token INTEGER NOT NULL, symbol TEXT NOT NULL, side INTEGER NOT NULL, type INTEGER NOT NULL,
  product TEXT NOT NULL, validity INTEGER NOT NULL, quantity INTEGER NOT NULL, disclosed INTEGER NOT NULL,
  price INTEGER NOT NULL, trigger INTEGER NOT NULL, traded INTEGER NOT NULL DEFAULT 0,
  traded_value INTEGER NOT NULL DEFAULT 0, status INTEGER NOT NULL, reason TEXT NOT NULL DEFAULT '',
  number INTEGER NOT NULL DEFAULT 0, amo_id TEXT NOT NULL DEFAULT '', entered_at REAL NOT NULL,
  changed_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS odin_orders_basket ON odin_orders (basket, id);
CREATE TABLE IF NOT EXISTS odin_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, basket INTEGER NOT NULL, body TEXT NOT NULL);
"""
