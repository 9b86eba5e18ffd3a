"""Pages of the site from notebooks as they lie in docs/: nothing is run, nothing fetched."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(DOCS.glob("tutorials/*.ipynb"))


def page_of_notebook(notebook: Path) -> str:
    """Its page, by its place in docs/."""
    return notebook.relative_to(DOCS).with_suffix(".md").as_posix()


def rendered(notebook: Path) -> tuple[str, dict[str, bytes]]:
    """Markdown of a notebook, and its pictures by the names that stand there."""
    from nbconvert import MarkdownExporter

    text, resources = MarkdownExporter().from_filename(
        str(notebook), resources={"unique_key": notebook.stem}
    )
    title, rest = text.lstrip().split("\n", 1)
    link = f'<a href="{notebook.name}" download>This page as a notebook</a>'
    text = f"{title}\n\n{link}\n{rest}".replace("![png](", "![what the cell above draws](")
    return text, resources.get("outputs", {})
