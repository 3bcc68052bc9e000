"""Ready journeys that a project can take over: a segment, its workflow with a control group, messages and tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from segctl.compile.suggest import nearest
from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused, UsageError
from segctl.model.project import Definitions
from segctl.operations.init import template_files, write_new
from segctl.operations.usecase_declare import (
    PROJECT_FILE,
    Lack,
    declarations,
    own_identifier,
    replace_text,
    spoken_of,
    words,
)
from segctl.operations.usecase_experiment import experiment_file, experiment_path


@dataclass(frozen=True, slots=True)
class UseCase:
    """One journey.

    Attributes:
        titles: By language.
        aims: What it is good for, in a sentence, by language.
        events: Kind of event → properties that it needs.
        traits: That it needs.
        purpose: Declared purpose of its messages.
        after: Journeys that extend it.
    """

    name: str
    titles: Mapping[str, str]
    aims: Mapping[str, str]
    segment: str
    events: Mapping[str, tuple[str, ...]]
    traits: tuple[str, ...] = ("first_name", "email", "country")
    purpose: str = "newsletter"
    after: tuple[str, ...] = ()

    @property
    def roots(self) -> tuple[str, ...]:
        """Files that make it; what they refer to comes along."""
        return (
            f"segments/{self.segment}.yaml",
            f"workflows/{self.name}.yaml",
            f"content/{self.name}.yaml",
            f"content/{self.name}.de.html.j2",
            f"content/{self.name}.en.html.j2",
            "content/shop.yaml",
            "content/_layout.html.j2",
            "content/_parts.html.j2",
        )


_ITEM = {"order_item": ("order_id", "product_id", "category"), "product_viewed": ("product_id", "category", "price")}
USE_CASES: dict[str, UseCase] = {
    one.name: one
    for one in (
        UseCase(
            "cart_recovery",
            {"de": "Warenkorb-Erinnerung", "en": "Cart recovery"},
            {
                "de": "Erinnert an das, was im Warenkorb liegen blieb, und endet mit dem Kauf.",
                "en": "Reminds people of what they left in the cart, and ends when they buy.",
            },
            "cart_abandoners",
            {"product_added": ("product_id", "category", "price"), "order_completed": ("value",), **_ITEM},
            after=("high_value_care",),
        ),
        UseCase(
            "welcome",
            {"de": "Willkommen", "en": "Welcome"},
            {
                "de": "Begrüßt nach der ersten Bestellung und führt zur zweiten.",
                "en": "Greets people after their first order, and leads to the second.",
            },
            "new_customers",
            {"order_completed": ("value",), **_ITEM},
            after=("cart_recovery", "reactivation"),
        ),
        UseCase(
            "reactivation",
            {"de": "Rückgewinnung", "en": "Reactivation"},
            {
                "de": "Holt zurück, wer eine Weile nicht gekauft hat.",
                "en": "Wins back those who have not bought for a while.",
            },
            "dormant",
            {"order_completed": ("value",), "page_viewed": (), **_ITEM},
            ("first_name", "email", "country", "customer_since"),
            after=("high_value_care",),
        ),
        UseCase(
            "high_value_care",
            {"de": "Pflege der Besten", "en": "High-value care"},
            {
                "de": "Dankt den Besten, bevor sie gehen.",
                "en": "Thanks the best before they leave.",
            },
            "vip",
            {"order_completed": ("value",), **_ITEM},
            ("first_name", "email", "country", "customer_since", "points"),
            after=("reactivation",),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Added:
    """What `usecase add` does or would do.

    Attributes:
        new: Files that are written.
        same: Files that are there already as they would be written.
        kept: Files that are there with other content and stay.
        declared: What is added to segctl.yaml, such as ``event order_item``.
    """

    use_case: str
    new: tuple[str, ...]
    same: tuple[str, ...]
    kept: tuple[str, ...]
    declared: tuple[str, ...] = ()


def find_use_case(name: str) -> UseCase:
    """The journey of that name.

    Raises:
        UsageError: There is none.
    """
    if name not in USE_CASES:
        near = nearest(name, USE_CASES)
        hint = f"did you mean `{near}`?" if near else "`segctl usecase ls` lists them"
        raise UsageError("SEG782", f"there is no use case `{name}`", hint=hint)
    return USE_CASES[name]


def add(
    definitions: Definitions,
    name: str,
    *,
    use: Mapping[str, str] | None = None,
    keep: bool = False,
    declare: bool = False,
    dry_run: bool = False,
) -> Added:
    """Copy a journey into the project; nothing that exists is ever overwritten.

    Args:
        definitions: Of the project.
        name: Of the journey.
        use: Name in the package → the project's own name for it: event kinds, traits, properties, the purpose.
        keep: Files that are there with other content stay, and the others are written.
        declare: Events, traits and the purpose that the project lacks are added to segctl.yaml, as the shop has them,
            and what counts as a success, where nothing says so.
        dry_run: Write nothing.

    Raises:
        UsageError: No such journey (SEG782), or the project does not declare what it needs (SEG783).
        Refused: A file is there with other content (SEG784); nothing was written.
    """
    case = find_use_case(name)
    _check_names(case, use or {})
    known = [one.name for one in definitions.project.identifiers if one.identifier_class == "known"]
    names = own_identifier(use or {}, known)
    root = Path(definitions.project.root)
    lacking = _lacking(definitions, case, names)
    further = _unmeasured(definitions) if declare else []
    wished = [*lacking, *further]
    declared = declarations(root, wished, names) if declare and wished else None
    if lacking and declared is None:
        raise _refuse(case, lacking, names)
    made = package(case)
    called = _called_now(definitions, made)
    wanted = {_path_now(path, called): _renamed(data, {**names, **called}) for path, data in made.items()}
    there = {path: (root / path).read_bytes() for path in wanted if (root / path).is_file()}
    same = tuple(sorted(path for path, data in there.items() if data == wanted[path]))
    other = tuple(sorted(set(there) - set(same)))
    own = [path for path in other if not _is_shared(path, case)]
    if own and not keep:
        listed = ", ".join(f"`{path}`" for path in own[:5]) + (f" and {len(own) - 5} more" if len(own) > 5 else "")
        message = f"{listed} {'is' if len(own) == 1 else 'are'} there already with other content; nothing was written"
        raise Refused("SEG784", message, hint="`--keep` leaves them as they are and adds the others")
    new = tuple(sorted(set(wanted) - set(there)))
    if not dry_run:
        for path in new:
            write_new(root / path, wanted[path])
        if declared is not None:
            replace_text(root / PROJECT_FILE, declared)
    added = () if declared is None else tuple(f"{one.kind} {names.get(one.name, one.name)}" for one in wished)
    return Added(name, new, same, other, added)


def package(case: UseCase) -> dict[str, bytes]:
    """Every file of a journey with all that those refer to, and its experiment, by path in a project."""
    shop = dict(template_files("shop"))
    chosen: dict[str, bytes] = {}
    waiting = [path for path in case.roots if path in shop]
    while waiting:
        path = waiting.pop()
        if path in chosen:
            continue
        chosen[path] = shop[path]
        waiting += [other for other in _referred(path, shop) if other not in chosen]
    title, aim = case.titles["de"], case.aims["de"]
    chosen[experiment_path(case.name)] = experiment_file(case.name, case.segment, title=title, aim=aim)
    return dict(sorted(chosen.items()))


_REFERRED = ("segments", "destinations", "experiments", "content", "traits", "lists")


def _referred(path: str, shop: Mapping[str, bytes]) -> list[str]:
    """Files of the template whose names a file speaks of, and the tests of a segment."""
    folder, _, rest = path.partition("/")
    said = words(shop[path])
    found = [f"tests/{rest}"] if folder in ("segments", "workflows") and f"tests/{rest}" in shop else []
    if folder in ("tests", "lists") or path.endswith(".j2"):
        return found
    for other in shop:
        kind, _, name = other.partition("/")
        if kind not in _REFERRED or other.endswith(".j2") or (kind == "content" and folder != "workflows"):
            continue
        declared = {Path(name).stem}
        if kind == "traits":
            declared = set(re.findall(r"(?m)^  ([a-z][a-z0-9_]*):", shop[other].decode()))
        # An experiment is a choice, unless a workflow splits by it.
        if declared & said and (kind != "experiments" or folder == "workflows"):
            found.append(other)
    return found


def _is_shared(path: str, case: UseCase) -> bool:
    """Whether a project may have made the file its own: what several journeys and segments use."""
    own = (f"workflows/{case.name}.yaml", experiment_path(case.name))
    return path not in own and not path.startswith(f"content/{case.name}.")


def _called_now(definitions: Definitions, made: Iterable[str]) -> dict[str, str]:
    """Segments of a package that the project has under another name by now."""
    brought = {Path(path).stem for path in made if path.startswith("segments/")} - definitions.segments.keys()
    own = {old: name for name, segment in definitions.segments.items() for old in segment.formerly}
    return {name: own[name] for name in sorted(brought & own.keys())}


def _path_now(path: str, called: Mapping[str, str]) -> str:
    """A segment and its tests lie under the name of the segment."""
    folder, _, file = path.partition("/")
    stem = file.removesuffix(".yaml")
    return f"{folder}/{called[stem]}.yaml" if folder in ("segments", "tests") and stem in called else path


def _renamed(data: bytes, names: Mapping[str, str]) -> bytes:
    if not names:
        return data
    pattern = re.compile(r"\b(" + "|".join(sorted(map(re.escape, names), key=len, reverse=True)) + r")\b")
    return pattern.sub(lambda found: names[found[1]], data.decode("utf-8")).encode()


def _check_names(case: UseCase, names: Mapping[str, str]) -> None:
    spoken = set().union(*spoken_of(package(case)).values())
    known = {*case.events, *case.traits, case.purpose, *(p for of in case.events.values() for p in of), *spoken}
    known.add("customer_id")
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean `{near}`?" if near else f"it needs {', '.join(sorted(known))}"
            raise UsageError("SEG783", f"`{case.name}` needs nothing called `{name}`", hint=hint)


def _lacking(definitions: Definitions, case: UseCase, names: Mapping[str, str]) -> list[Lack]:
    """What the project does not declare, under its own names."""
    project = definitions.project
    spoken = spoken_of(package(case))
    there = {
        "event": [one.name for one in project.events],
        "trait": [*(one.name for one in project.traits), *definitions.computed],
        "purpose": [one.name for one in project.purposes],
        "table": [one.name for one in project.related],
    }
    needed = {
        "event": spoken["event"] | set(case.events), "trait": spoken["trait"] | set(case.traits),
        "purpose": spoken["purpose"] | {case.purpose}, "table": spoken["table"],
    }  # fmt: skip
    lacking = [
        Lack(kind, name, there[kind])
        for kind, asked in needed.items()
        for name in sorted(asked)
        if names.get(name, name) not in there[kind]
    ]
    for event, properties in case.events.items():
        declared = project.event(names.get(event, event))
        has = [] if declared is None else [name for name, _ in declared.properties]
        if declared is not None:
            lacking += [Lack("property", one, has, event) for one in properties if names.get(one, one) not in has]
    return lacking


def _unmeasured(definitions: Definitions) -> list[Lack]:
    """What `usecase status` goes by, where nothing is declared of it: a journey works without, and nobody knows how."""
    if definitions.project.reports is not None:
        return []
    return [Lack("report", name, ()) for name in ("conversion", "revenue")]


def _refuse(case: UseCase, lacking: Sequence[Lack], names: Mapping[str, str]) -> UsageError:
    """What is not declared, and what to do about it."""
    parts = [f"{one.kind} `{names.get(one.name, one.name)}`" for one in lacking]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
    own = [(one.name, near) for one in lacking if (near := nearest(one.name, one.known)) is not None]
    called = " ".join(f"--use {name}={near}" for name, near in own) or f"--use {lacking[0].name}=OWN"
    hint = (
        f"if the project calls it otherwise, `{called}`; what it does not have at all, `--declare` adds to segctl.yaml"
    )
    if any(one.kind == "property" for one in lacking):
        hint = f"add the property to its event in segctl.yaml, or say what it is called there: `{called}`"
    return UsageError("SEG783", f"`{case.name}` needs what the project does not declare: {listed}", hint=hint)
