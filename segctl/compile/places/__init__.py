"""Places: postal codes, declared lists of places, and how far a point is from them."""
