"""Finding and joining profiles of the same person."""
