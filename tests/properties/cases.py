"""The language's specification as data: every sentence of its semantics with a hand-made answer.

The oracle, the row evaluator and every engine must give these answers.
"""

from __future__ import annotations

import cases_conditions
import cases_events
import cases_places
import cases_related
import cases_scores
import cases_windows
from case_tools import Case

CASES: list[Case] = [
    *cases_conditions.CASES,
    *cases_places.CASES,
    *cases_windows.CASES,
    *cases_events.CASES,
    *cases_related.CASES,
    *cases_scores.CASES,
]
