"""What is kept: the SQLite store and the ledger."""
