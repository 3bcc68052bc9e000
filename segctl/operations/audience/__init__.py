"""From members to who may be told."""
