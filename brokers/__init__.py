"""Speaking to stock brokers: smallcase Gateway, ODIN Connector, 5paisa."""
