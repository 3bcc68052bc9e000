"""Completion scripts, one module for each family of shells."""
