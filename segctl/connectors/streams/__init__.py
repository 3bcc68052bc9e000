"""Where a stream's lines come from: one file each, all with the methods of `base.Feed`."""
