"""What `test` proves of definitions."""
