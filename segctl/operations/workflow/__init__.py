"""What happens to people whom an event or a segment sets on their way."""
