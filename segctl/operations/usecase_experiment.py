"""The experiment of a ready journey: against a control group, by figures that are named before, for `report ab`."""

from __future__ import annotations

_TEXT = """\
# Does the journey bring anything? The control group of the workflow itself answers `segctl usecase status`. For an
# answer with a plan (how many people, what is the smallest change that matters), let this experiment deal instead:
# in workflows/{name}.yaml delete `control:` and put all steps under a first one,
#   - split: {{experiment: {name}_test}}
#     then: {{journey: [… the steps …], control: [{{stop: control}}]}}
# then `segctl experiment plan {name}_test`, `segctl experiment start {name}_test`, and for the answer
# `segctl report ab {name}_test`. Until it runs, nobody passes the split.
experiment: {name}_test
title: {title}
hypothesis: {aim}
owner: crm@shop.example
segment: {segment}
arms:
  control: {{weight: 20 %, send: nothing}}
  journey: {{weight: 80 %, cost: 0.02}}
window: 14 days                 # from the split, in both arms alike; `usecase status` has the same
metrics:
  bought: {{event: order_completed, role: primary}}
  turnover: {{event: order_completed, sum: {{of: value}}, before: 90 days, cap: 99.5}}
effect: +50 %                   # the smallest change that matters
size: 1000                      # in both arms together; or `end: 2027-03-31`
"""


def experiment_path(name: str) -> str:
    """Where the experiment of a journey stands in a project."""
    return f"experiments/{name}_test.yaml"


def experiment_file(name: str, segment: str, *, title: str, aim: str) -> bytes:
    """The declaration of the experiment of a journey.

    Args:
        name: Of the journey.
        segment: Whose members enter it.
        title: Of the journey, as people read it.
        aim: What it is good for; that is what is tested.
    """
    return _TEXT.format(name=name, segment=segment, title=title, aim=aim).encode()
