"""The parts of the reports' public formats that segctl writes, closed: a key that is not named here is an error.

SARIF 2.1.0 is the OASIS Standard of 27 March 2020, sections 3.13 to 3.52; Code Quality is what GitLab's documentation
lists under "Code Quality report format"; JUnit is the form that Jenkins, GitLab and GitHub's reporters read.
"""

from __future__ import annotations

from typing import Any


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1}
LINE = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = closed({"text": TEXT, "markdown": TEXT}, "text")
RULE = closed(
    {
        "id": {"type": "string", "pattern": "^SEG[0-9]{3}$"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": MESSAGE,
        "defaultConfiguration": closed({"level": LEVEL}, "level"),
    },
    "id",
)
REGION = closed({"startLine": LINE, "startColumn": LINE, "endLine": LINE, "endColumn": LINE}, "startLine")
ARTIFACT = closed({"uri": {"type": "string", "format": "uri-reference"}, "uriBaseId": TEXT}, "uri")
PLACE = closed({"physicalLocation": closed({"artifactLocation": ARTIFACT, "region": REGION}, "artifactLocation")})
RESULT = closed(
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {"type": "array", "items": PLACE, "maxItems": 1},
        "partialFingerprints": {
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
        "suppressions": {
            "type": "array",
            "items": closed({"kind": {"enum": ["inSource", "external"]}, "justification": {"type": "string"}}, "kind"),
        },
    },
    "ruleId",
    "message",
    "partialFingerprints",
)
RUN = closed(
    {
        "tool": closed(
            {
                "driver": closed(
                    {"name": TEXT, "version": TEXT, "rules": {"type": "array", "items": RULE, "uniqueItems": True}},
                    "name",
                )
            },
            "driver",
        ),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
    },
    "tool",
    "results",
)
SARIF = closed(
    {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": RUN, "minItems": 1, "maxItems": 1},
    },
    "version",
    "runs",
)

GITLAB = {
    "type": "array",
    "items": closed(
        {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32,64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": closed(
                {
                    # GitLab shows nothing for a path that begins with `./` or `/`.
                    "path": {"type": "string", "pattern": "^[^./]"},
                    "lines": closed({"begin": LINE}, "begin"),
                },
                "path",
                "lines",
            ),
        },
        "description",
        "check_name",
        "fingerprint",
        "severity",
        "location",
    ),
}  # fmt: skip
