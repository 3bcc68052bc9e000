"""Reading what is new in declared sources."""
