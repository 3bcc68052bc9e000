"""An inferred contract as YAML that a person can read and correct, alone or added to a declaration."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.operations.contract_infer import InferredContract
    from segctl.quality.infer import ColumnGuess

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
_WIDTH = 60


def contract_text(found: InferredContract, shown: str) -> str:
    """``contract:`` and ``checks:`` with a comment for each column.

    Args:
        found: The proposal.
        shown: What the data are called.
    """
    part = f", guessed from a sample of {found.sampled:,} of them" if found.sampled < found.rows else ""
    lines = [
        f"# Proposed by `segctl validate infer` from {_quiet(shown)}: all {found.rows:,} rows keep it{part}.",
        "# It knows only what these rows show: read it, and loosen or tighten what you know better. `enum` lists all",
        "# values that came; `minimum`, `maximum` and `maxLength` leave head-room.",
        "contract:",
    ]
    required = found.schema.get("required", [])
    if required:
        lines += ["  # Columns without which a row is no use; here they are filled in every row.", _listed(required)]
    properties = found.schema.get("properties", {})
    lines.append("  properties:" if properties else "  properties: {}")
    for guess in found.columns:
        if guess.name in properties:
            lines += _column(guess, properties[guess.name])
    lines += ["", "# What all rows keep together; `severity: warn` only tells.", "checks:"]
    for check in found.checks:
        (kind, value), *rest = check.items()
        lines.append(f"  - {kind}: {_flow(value)}")
        lines += [f"    {key}: {_flow(each)}" for key, each in rest]
    return "\n".join(lines) + "\n"


def _listed(names: list[str]) -> str:
    flow = f"  required: [{', '.join(map(_scalar, names))}]"
    if len(flow) <= 2 * _WIDTH:
        return flow
    return "\n".join(["  required:", *(f"    - {_scalar(name)}" for name in names)])


def _column(guess: ColumnGuess, schema: dict[str, Any]) -> list[str]:
    remark = _remark(guess)
    inner = _flow(schema)
    name = _scalar(guess.name)
    return [*([f"    # {remark}"] if remark else []), f"    {name}: {inner}"]


def _remark(guess: ColumnGuess) -> str:
    said = []
    if guess.missing:
        share = guess.missing * 100
        said.append(f"empty in {share:.1f} % of the rows" if share >= 0.05 else "seldom empty")
    if guess.is_unique:
        said.append("no value twice")
    if guess.is_personal:
        said.append("personal: nothing of its values is written here")
    return "; ".join(said)


def _flow(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    if re.fullmatch(r"\d+ %", text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # What JSON leaves as it is, YAML does not always allow.
    return re.sub("[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]", lambda sign: f"\\u{ord(sign[0]):04x}", quoted)


def _quiet(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)


def save_contract(project: Project, source: Source, text: str) -> str:
    """Adds a proposal at the end of the file of a declaration, whose own text stays as it is.

    Returns:
        The path of the file, relative to the project.

    Raises:
        UsageError: It has a contract or checks already, or cannot be added to; nothing was written.
    """
    from segctl.compile.source import Mapping, compose
    from segctl.compile.sources import bind_source_text
    from segctl.model.diagnostics import has_errors
    from segctl.operations.contracts import contract_findings

    path = Path(project.root, source.file)
    before = path.read_text(encoding="utf-8")
    root, _ = compose(before, source.file)
    taken = [key for key in ("contract", "checks") if isinstance(root, Mapping) and root.get(key) is not None]
    if taken:
        raise UsageError(
            "SEG621",
            f"`{source.file}` has `{taken[0]}:` already; nothing was written",
            hint="leave `--save` out, and take over by hand what is worth it",
        )
    after = before + ("" if before.endswith("\n") or not before else "\n") + "\n" + text
    bound, findings = bind_source_text(after, source.file, project)
    wrong = has_errors(findings) or bound is None or has_errors(contract_findings([bound]))
    if wrong:
        raise UsageError(
            "SEG622",
            f"`{source.file}` is written in a way that nothing can be added to; nothing was written",
            hint="leave `--save` out, and add the text by hand",
        )
    _replace(path, after)
    return source.file


def _replace(path: Path, text: str) -> None:
    waiting = path.with_name(f".{path.name}.part")
    try:
        waiting.write_text(text, encoding="utf-8")
        waiting.chmod(path.stat().st_mode & 0o777)
        waiting.replace(path)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
