"""Templates of messages: what they may do, and how they become text and HTML."""
