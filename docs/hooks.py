"""What the site shows of files that stand outside of docs/: pages of their own, and files to open.

The pages link to them as they stand in the repository, so that they can be read there too.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

PAGES = {
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing-code.md",
    "config/README.md": "configuration.md",
    "config/1000g/README.md": "seven-countries.md",
    "demo/README.md": "demonstration.md",
}
"""Pages outside of docs/, and what the site calls them."""

_LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)\s]+)(?P<after>\))")
_ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: Any) -> Files:
    """Add the pages, and every other file of the repository that a page links to."""
    for path, name in PAGES.items():
        text = (_ROOT / path).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=_relinked(text, path)))
    pages = [file for file in files if file.src_uri.endswith(".md")]
    linked = {target for page in pages for target in _outside(page)}
    for path in sorted(linked):
        content = (_ROOT / path).read_bytes()
        files.append(File.generated(config, _shown_as(path), content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to the outside, which are relative to docs/, into links within the site."""
    if page.file.src_uri in PAGES.values():
        return markdown
    return _relinked(markdown, f"docs/{page.file.src_uri}")


def _outside(page: File) -> set[str]:
    """Find the files outside of docs/ that a page links to and that are no pages."""
    at = next((path for path, name in PAGES.items() if name == page.src_uri), None)
    at = at or f"docs/{page.src_uri}"
    text = (_ROOT / at).read_text(encoding="utf-8")
    targets = {_resolved(match["target"], at)[0] for match in _LINK.finditer(text)}
    return {
        target
        for target in targets
        if target and not target.startswith("docs/") and target not in PAGES
        if (_ROOT / target).is_file()
    }


def _relinked(text: str, at: str) -> str:
    """Rewrite the links of a file that stands at `at` in the repository."""

    def rewrite(match: re.Match[str]) -> str:
        target, anchor = _resolved(match["target"], at)
        if not target:
            return match[0]
        if target.startswith("docs/"):
            shown = target.removeprefix("docs/")
        elif target in PAGES:
            shown = PAGES[target]
        elif (_ROOT / target).is_file():
            shown = _shown_as(target)
        else:
            return match[0]
        return f"{match['before']}{shown}{anchor}{match['after']}"

    return _LINK.sub(rewrite, text)


def _resolved(target: str, at: str) -> tuple[str, str]:
    """Give the path in the repository that a link leads to, and its anchor; empty for links elsewhere."""
    path, separator, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", path):
        return "", ""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(at), path))
    return joined, separator + anchor


def _shown_as(path: str) -> str:
    """Name a file of the repository in the site; text is shown by a browser where its name says so."""
    return f"files/{path}.txt" if path.endswith((".yaml", ".py")) else f"files/{path}"
