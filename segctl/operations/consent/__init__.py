"""The consent ledger: reading, writing, proving."""
