"""Every link of the documentation leads somewhere: files, and headings in them; and the site builds."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "config/**/*.md", "demo/**/*.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")


def links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    return _LINK.findall(text)


@cache
def anchors(path: Path) -> set[str]:
    """Anchors of a page's headings, as they are made where the page is shown."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        number = 1
        while (name := slug if number == 1 else f"{slug}-{number - 1}") in found:
            number += 1
        found.add(name)
    return found


def test_there_are_pages_with_links():
    assert len(PAGES) > 25
    assert sum(len(links(page)) for page in PAGES) > 200


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_to_a_file_and_a_heading_of_it(page):
    broken = []
    for link in links(page):
        if re.match(r"(https?|mailto):", link):
            continue
        target, _, anchor = link.partition("#")
        path = (ROOT / page).parent / target if target else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors(path.resolve())):
            broken.append(link)
    assert broken == []


def test_addresses_are_whole():
    """Those outside cannot be followed without a network; that they are addresses can be told."""
    for page in PAGES:
        for link in links(page):
            if link.startswith("http"):
                assert re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/[^\s]*)?", link), (page, link)


def test_every_page_of_docs_is_in_the_site_s_navigation():
    listed = (ROOT / "mkdocs.yml").read_text()
    missing = [page.name for page in PAGES if page.parts[0] == "docs" and page.name not in listed]
    assert missing == []


def test_the_site_builds_without_a_warning(tmp_path):
    if shutil.which("mkdocs", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("mkdocs is not installed: pip install '.[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "WARNING -" not in built.stderr
    for name in ("index", "concepts", "configuration", "privacy"):
        assert (tmp_path / f"{name}.html").is_file()
    # Nothing is loaded from elsewhere when a page is looked at.
    page = (tmp_path / "index.html").read_text()
    assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="https?://', page)
