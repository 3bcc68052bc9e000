"""What `lint` finds."""
