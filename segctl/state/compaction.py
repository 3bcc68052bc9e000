"""tmp"""
def compact(ws, **k): pass
