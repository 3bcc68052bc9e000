"""Rows that were set aside."""
