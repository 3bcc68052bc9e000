"""HTTP for sources and destinations alike: an exchange, credentials, pace, tries, and the words for what goes wrong."""
