"""What `apply` and `push` would do."""
