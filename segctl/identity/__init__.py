"""Who is who: records in, persons out. Frames and values only; nothing is read, written or printed here."""
