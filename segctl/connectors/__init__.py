"""Sources and destinations: what arrives and what is sent."""
