"""One module per verb: returns results, reports progress, prints nothing."""
