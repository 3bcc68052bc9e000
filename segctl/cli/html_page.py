"""The frame of every HTML page that segctl writes: one style, no script, nothing from elsewhere."""

from __future__ import annotations

from segctl.cli.validation_page_style import STYLE


def document(title: str, language: str, body: str, style: str = "") -> str:
    """A whole page.

    Args:
        title: As harmless HTML.
        language: ``de`` or ``en``.
        body: HTML of the body.
        style: Further rules behind those of every page.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
