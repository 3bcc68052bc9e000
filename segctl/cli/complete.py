"""The fast path of a TAB press on names: standard library only, no Typer, no YAML, never a loud failure.

Names come from an index in the workspace folder that is rebuilt when a definition file has changed. The rebuild
reads lines, not YAML: it looks for `segment:`, `source:`, `destination:`, `experiment:`, `workflow:`, `title:`,
`tags:`, `owner:`, `send_to:` and the keys of a few blocks.
"""

import os

from segctl.cli import streams

READ_BYTES = 65_536
INDEX_FORM = 7
FOLDERS = ("segments", "traits", "sources", "destinations", "experiments", "workflows", "content")
_FIXED = {
    "kind": (
        "all", "any", "none", "not", "trait", "event", "sequence", "segment", "consent", "sample", "near", "list",
        "related",
    ),
    "status": ("draft", "active", "paused"),
    "state": ("new", "modified", "unmodified"),
    "result": ("ok", "what_if", "failed"),
}  # fmt: skip
"""Values of a selection's properties that are the same in every project."""


def answer(arguments: list[str]) -> int:
    """Print the names of a kind that start with a prefix, one `name<TAB>description` a line.

    Args:
        arguments: Kind, prefix, and perhaps the project folder.

    Returns:
        Always 0: an error message in the middle of a command line that is being typed helps nobody.
    """
    kind, prefix, folder = (*arguments, "", "", "")[:3]
    # Of a selection only the last part is being typed.
    lead = prefix[: max(map(prefix.rfind, "+, ")) + 1] if kind == "selections" else ""
    try:
        lines = [f"{lead}{name}\t{text}" for name, text in names(kind, folder) if f"{lead}{name}".startswith(prefix)]
    except Exception:
        return 0
    streams.write_data("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
    return 0


def names(kind: str, folder: str = "") -> list[tuple[str, str]]:
    """Names of a kind with a short description, sorted; of an unknown kind none."""
    if kind == "topics":
        return sorted([*_files_of_package("help", ".md"), *_kinds()])
    if kind == "schemas":
        return _files_of_package("compile/schemas", ".json")
    root = project_root(folder or os.environ.get("SEGCTL_PROJECT", "") or os.getcwd())
    if root is None:
        return []
    if kind == "runs":
        return _runs(root)
    if kind == "cases":
        return _cases(os.path.join(root, "tests"))
    index = _index(root)
    if kind == "things":
        plurals = ("segments", "traits", "events", "sources", "destinations", "experiments", "workflows")
        return [(f"{of[:-1]}:{name}", text) for of in plurals for name, text in index.get(of, [])]
    if kind == "reached":
        return sorted([*index["sources"], *index["destinations"]])
    if kind == "selections":
        return [*index["segments"], *_properties(index)]
    return list(index.get(kind, []))


def _kinds() -> list[tuple[str, str]]:
    """Pages on kinds of destinations; their table is read as text, since importing it takes longer."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    lines = _lines(os.path.join(folder, "connectors", "destinations", "__init__.py"))
    named = [line.split('"')[1] for line in lines if '": "segctl.connectors.destinations.' in line]
    return [(f"destination-{name}", "") for name in named]


def _properties(index: dict[str, list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """What a selection may say besides names; the text is the property's name."""
    own = {word: [name for name, _ in index.get(f"{word}s", [])] for word in ("tag", "owner", "destination", "path")}
    return [(f"{word}:{value}", word) for word, values in (own | _FIXED).items() for value in values]


def project_root(start: str) -> str | None:
    """The nearest folder upwards that holds `segctl.yaml`."""
    folder = os.path.abspath(start)
    while True:
        if os.path.exists(os.path.join(folder, "segctl.yaml")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _index(root: str) -> dict[str, list[tuple[str, str]]]:
    """The index, from its file when that is fresh."""
    import json

    files = _definition_files(root)
    signature = [INDEX_FORM, len(files), sum(size for _, _, size in files), max((at for _, at, _ in files), default=0)]
    path = os.path.join(root, ".segctl", "names.json")
    try:
        with open(path, encoding="utf-8") as stream:
            kept = json.load(stream)
        if kept["signature"] == signature:
            return dict(kept["names"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = _scan(root, [path for path, _, _ in files])
    _keep(path, json.dumps({"signature": signature, "names": found}, ensure_ascii=False))
    return found


def _keep(path: str, text: str) -> None:
    """Write the index beside the workspace; where there is none, nothing is created."""
    temporary = f"{path}.{os.getpid()}"
    try:
        with open(temporary, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(temporary, path)
    except OSError:
        return


def _definition_files(root: str) -> list[tuple[str, int, int]]:
    """Path, time stamp in ns and size of every definition file."""
    project = os.path.join(root, "segctl.yaml")
    about = os.stat(project)
    found = [(project, about.st_mtime_ns, about.st_size)]
    waiting = [os.path.join(root, folder) for folder in FOLDERS]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.name.endswith(".yaml") and entry.is_file():
                about = entry.stat()
                found.append((entry.path, about.st_mtime_ns, about.st_size))
    return sorted(found)


def _scan(root: str, files: list[str]) -> dict[str, list[tuple[str, str]]]:
    """Names by kind, read from lines."""
    found: dict[str, dict[str, str]] = {
        kind: {}
        for kind in (
            "segments", "traits", "events", "sources", "environments", "tags", "owners", "destinations", "experiments",
            "workflows", "paths", "purposes", "content",
        )
    }  # fmt: skip
    for path in files:
        lines = _lines(path)
        folder = os.path.relpath(path, root).split(os.sep)[0]
        if folder == "segments":
            top = _top_values(lines)
            name = top.get("segment") or os.path.basename(path)[:-5]
            for own, title in _sisters(name, top) if "{" in name else [(name, top.get("title", ""))]:
                found["segments"][own] = title
            found["tags"] |= dict.fromkeys(_listed(top.get("tags", "")), "tag")
            for name in _listed(top.get("send_to", "")):
                found["destinations"].setdefault(name, "")
            found["owners"] |= dict.fromkeys(filter(None, [top.get("owner", "")]), "owner")
            found["paths"][os.path.relpath(os.path.dirname(path), root).replace(os.sep, "/")] = "path"
        elif folder == "sources":
            found["sources"][_top_values(lines).get("source") or os.path.basename(path)[:-5]] = ""
        elif folder in ("destinations", "experiments", "workflows"):
            top = _top_values(lines)
            found[folder][top.get(folder[:-1]) or os.path.basename(path)[:-5]] = top.get("title", "")
        elif folder == "content":
            top = _top_values(lines)
            if top.get("content"):
                found["content"][top["content"]] = top.get("title", "")
            found["content"] |= dict.fromkeys(_block_keys(lines, "recommendations"), "recommendations")
        elif folder == "traits":
            found["traits"] |= dict.fromkeys(_block_keys(lines, "traits"), "computed")
        else:
            for block in ("traits", "events", "environments", "purposes"):
                found[block] |= dict.fromkeys(_block_keys(lines, block), "")
    return {kind: sorted(of.items()) for kind, of in found.items()}


def _sisters(name: str, top: dict[str, str]) -> list[tuple[str, str]]:
    """Names and titles that ``for_each: {field: [a, b]}`` on one line gives; lists in files are not opened."""
    inside = top.get("for_each", "").strip()
    field, colon, items = inside.removeprefix("{").removesuffix("}").partition(":")
    placeholder = f"{{{field.strip()}}}"
    if not colon or not inside.startswith("{") or placeholder not in name or not items.strip().startswith("["):
        return []
    from segctl.compile.suggest import as_name

    return [
        (name.replace(placeholder, spelled), top.get("title", "").replace(placeholder, item))
        for item in _listed(items.strip())
        if (spelled := as_name(item))
    ]


def _lines(path: str) -> list[str]:
    with open(path, "rb") as stream:
        return stream.read(READ_BYTES).decode("utf-8", "replace").splitlines()


def _top_values(lines: list[str]) -> dict[str, str]:
    """Values of the keys that stand at the left edge, without comments and quotes."""
    found: dict[str, str] = {}
    for line in lines:
        key, colon, rest = line.partition(":")
        if colon and key.isidentifier():
            found.setdefault(key, _bare(rest))
    return found


def _block_keys(lines: list[str], block: str) -> list[str]:
    """Keys one level below a key at the left edge."""
    keys: list[str] = []
    depth = -1
    is_inside = False
    for line in lines:
        text = line.lstrip(" ")
        if not text or text.startswith("#"):
            continue
        indent = len(line) - len(text)
        if indent == 0:
            is_inside, depth = text.partition(":")[0].rstrip() == block, -1
        elif is_inside:
            depth = indent if depth < 0 else depth
            key, colon, _ = text.partition(":")
            if indent == depth and colon and key.isidentifier():
                keys.append(key)
    return keys


def _listed(text: str) -> list[str]:
    """The words of ``[a, b]``."""
    return [_bare(word) for word in text.strip("[]").split(",") if word.strip()] if text.startswith("[") else []


def _bare(text: str) -> str:
    """A scalar without its comment, quotes and tabs."""
    value = text.partition(" #")[0].strip()
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        value = value[1:-1]
    return value.replace("\t", " ")


def _cases(folder: str) -> list[tuple[str, str]]:
    """Files of tests and the cases in them, as words that `test -k` takes; a case that begins on its own line."""
    from segctl.compile.suggest import as_keyword

    found: dict[str, str] = {}
    for here, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(name for name in files if name.endswith(".yaml")):
            found.setdefault(file[:-5], "")
            for line in _lines(os.path.join(here, file)):
                key, colon, rest = line.strip().removeprefix("- ").lstrip("{ ").partition(":")
                if colon and key == "case" and (case := _bare(rest)):
                    found.setdefault(as_keyword(case), file[:-5])
    return sorted(found.items())


def _runs(root: str) -> list[tuple[str, str]]:
    """The newest runs with their instant, from the workspace of the environment."""
    import sqlite3

    base = _top_values(_lines(os.path.join(root, "segctl.yaml"))).get("workspace") or ".segctl"
    path = os.path.join(root, base, os.environ.get("SEGCTL_ENV") or "dev", "state.db")
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.05)
    try:
        rows = database.execute("SELECT id, as_of FROM runs ORDER BY rowid DESC LIMIT 50").fetchall()
    finally:
        database.close()
    return [(str(run), _instant(as_of)) for run, as_of in rows]


def _instant(microseconds: object) -> str:
    """An instant of the workspace as text."""
    import time

    if not isinstance(microseconds, int):
        return str(microseconds)
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(microseconds // 1_000_000))


def _files_of_package(folder: str, ending: str) -> list[tuple[str, str]]:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = sorted(os.listdir(os.path.join(package, folder)))
    return [(name.removesuffix(ending), "") for name in found if name.endswith(ending)]
