"""The durable truth: tables, transactions and the event log."""
