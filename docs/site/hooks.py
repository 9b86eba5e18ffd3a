"""What mkdocs is told beside mkdocs.yml: the pages that are made, and links that lead out of docs/.

- README, CONTRIBUTING and CHANGELOG are pages of the site, as they stand in the repository.
- A tutorial's page is its notebook, with what its cells gave when it was run.
- The reference has a page a room, from `public_names`, and one list of all names.
- `pyproject.toml` maps three folders into the package; mkdocstrings reads the tree it describes.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import griffe
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from notebook_pages import NOTEBOOKS, page_of_notebook, rendered
from public_names import CONFIGURATIONS, ROOMS, ROOT, TOP_LEVEL, names_of

SOURCE = ROOT / "build" / "docs"
# File of the repository -> page of the site.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


@event_priority(100)  # before mkdocstrings looks which of its paths there are
def on_config(config: Any) -> Any:
    """The source tree as it is installed, for mkdocstrings; the rooms in the navigation."""
    link_source(SOURCE / "hf_grok")
    (reference,) = [one for one in config.nav if "API reference" in one]
    reference["API reference"] += [{room: page_of(room)} for room in ROOMS]
    return config


def on_files(files: Files, config: Any) -> Files:
    """The pages that no file of docs/ holds."""
    made = {page: (ROOT / name).read_text(encoding="utf-8") for name, page in PAGES.items()}
    made |= {page_of(room): page_text(room) for room in ROOMS}
    made["reference/index.md"] = list_of_names()
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    for notebook in NOTEBOOKS:
        page = page_of_notebook(notebook)
        text, pictures = rendered(notebook)
        files.append(File.generated(config, page, content=text))
        for name, picture in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=picture))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links as the site has them; what leads to a file that is no page becomes its text."""
    at_root = page.file.src_uri in PAGES.values()
    return LINK.sub(lambda link: linked(link, page.file.src_uri, at_root), markdown)


def linked(link: re.Match[str], source: str, at_root: bool) -> str:
    """One link, from a page that stood at the root of the repository or in docs/."""
    picture, text, target = link.groups()
    if re.match(r"\w+:|#", target):
        return link[0]
    path, hash_, part = target.partition("#")
    folder = ROOT if at_root else (ROOT / "docs" / source).parent
    inside = (folder / path).resolve().relative_to(ROOT).as_posix()
    if inside in PAGES:
        place = PAGES[inside]
    elif inside.startswith("docs/"):
        place = inside.removeprefix("docs/")
        place = f"{place}/README.md" if (ROOT / inside).is_dir() else place
        place = f"{place.removesuffix('.ipynb')}.md" if place.endswith(".ipynb") else place
    else:
        return f"{picture}{text}"
    up = "../" * source.count("/")
    return f"{picture}[{text}]({up}{place}{hash_}{part})"


def page_of(room: str) -> str:
    """The page of a room."""
    return f"reference/{room}.md"


def page_text(room: str) -> str:
    """The public names of a room, each with its docstring."""
    names = "\n\n".join(f"::: {room}.{name}" for name in names_of(room))
    if room in CONFIGURATIONS:
        names += "\n\n## Options of the builders\n\nGiven as `Builder(NAME=value)`.\n\n"
        names += "\n\n".join(f"::: {room}.{name}" for name in CONFIGURATIONS[room])
    return f"# {room}\n\n{ROOMS[room]}\n\n{names}\n"


def list_of_names() -> str:
    """Every public name in one table a room, with the first line of its docstring."""
    package = griffe.load("hf_grok", search_paths=[SOURCE], try_relative_path=False)
    text = "# Every public name\n\nWhat is named here keeps its name, or keeps the old one for a "
    text += "release ([versions](../versions.md)).\nEverything else may move without a word.\n"
    for room, purpose in ROOMS.items():
        rows = "\n".join(
            f"| [`{name}`]({room}.md#{room}.{name}) | {first_line(package, room, name)} |"
            for name in names_of(room)
        )
        text += f"\n## {room}\n\n{purpose}\n\n| name | what it is |\n|---|---|\n{rows}\n"
    return text


def first_line(package: Any, room: str, name: str) -> str:
    """The claim with which a docstring begins; of a constant, that it is one."""
    found = package[f"{room}.{name}".removeprefix("hf_grok.")]
    found = found.final_target if found.is_alias else found
    if not found.docstring:
        return "constant" if name.isupper() else "type"
    return found.docstring.value.splitlines()[0].replace("|", "\\|")


def link_source(package: Path) -> None:
    """The tree that pyproject.toml's package-dir describes, as links; no module is imported."""
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir(parents=True)
    inner = [file for file in (ROOT / "hf_grok").iterdir() if file.name != "__pycache__"]
    for file in [*inner, *(ROOT / name for name in TOP_LEVEL)]:
        (package / file.name).symlink_to(file)
