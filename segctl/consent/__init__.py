"""Consent: normal forms and tokens of contact points, what the ledger says about them, and strict consent strings."""
