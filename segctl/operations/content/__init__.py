"""Text of messages for one person."""
