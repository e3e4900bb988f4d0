"""The guides beside the notebooks: what they show works, and what they lead to is there."""

import json
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from jupyter_fpga.server.auth import KeyFile

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
PAGES = ["README.md", *(f"notebooks/{path.name}" for path in sorted(FOLDER.glob("*.md")))]


def example(name: str) -> str:
    text = (FOLDER / "for_teachers.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- example: {name} -->\s*```\w+\n(.*?)\n```", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    path = ROOT / page
    links = _links(path)
    assert links
    assert [link for link in links if not (path.parent / link).exists()] == []


def _links(path: Path) -> list[str]:
    """What a page leads to within the project, and the pictures on it."""
    return re.findall(r"(?:\]\(|src=\"|srcset=\")(?!https?:|#)([^)#\s\"]+)", path.read_text(encoding="utf-8"))


def test_every_picture_is_on_a_page():
    shown = {(ROOT / page).parent.joinpath(link).resolve() for page in PAGES for link in _links(ROOT / page)}
    assert sorted((FOLDER / "images").iterdir()) == sorted(path for path in shown if path.parent.name == "images")


@pytest.mark.parametrize("page", PAGES)
def test_pictures_follow_the_theme_and_say_what_they_show(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    shape = r"<picture>\n.*?srcset=\"(\S+)_dark\.png\".*?src=\"(\S+)_light\.png\" alt=\"[^\"]{20,}\""
    pictures = re.findall(shape, text, re.DOTALL)
    assert len(pictures) == text.count("<picture>")
    assert [dark for dark, light in pictures if dark != light] == []


def test_the_course_names_every_notebook_once():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| \[[^]]+\]\((\S+\.ipynb)\) .* \| (\d+) \| [^|]+ \|$", text, re.MULTILINE)
    assert sorted(name for name, _ in named) == sorted(path.name for path in FOLDER.glob("*.ipynb"))
    for name, minutes in named:
        about = nbformat.read(FOLDER / name, as_version=4).cells[0].source
        assert f"**Time:** about {minutes} minutes." in about


def test_the_keys_of_a_class(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(example("keys"))
    path.chmod(0o600)
    keys = KeyFile(path)
    for entry in json.loads(example("keys"))["keys"]:
        person = keys.find(entry["key"])
        assert (person.name, person.roles) == (entry["name"], frozenset(entry["roles"]))


def test_copies_to_hand_out_have_no_solutions(tmp_path):
    (tmp_path / "notebooks").symlink_to(FOLDER)
    subprocess.run(["sh", "-ec", example("hand out")], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    copies = sorted((tmp_path / "hand_out").glob("*.ipynb"))
    assert [path.name for path in copies] == sorted(path.name for path in FOLDER.glob("*.ipynb"))
    for path in copies:
        before, after = (nbformat.read(one, as_version=4).cells for one in (FOLDER / path.name, path))
        assert len(after) == len(before) - 1
        assert "<details>" not in path.read_text(encoding="utf-8")
