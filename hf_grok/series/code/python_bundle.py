"""One Python file from a module and what it imports of this package.

Sources are read as text and never imported. A definition that nothing needs is left out, and so is
`from __future__ import annotations`: where one module has its annotations evaluated (dataclasses
that check types do), all must, since a file has it for the whole or not at all.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from hf_grok.series.errors import SeriesError

PACKAGE = "hf_grok"
Read = Callable[[str], str]
Import = tuple[str, str]


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a module, that is no import.

    Attributes:
        text: its lines with the comments above it.
        binds: names that it defines.
        uses: names that stand anywhere in it.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]


@dataclass(frozen=True)
class Module:
    """One source, taken apart.

    Attributes:
        name: dotted.
        doc: its docstring as it is written, quotes included; "" where there is none.
        imports: name bound -> where it is from ("" for `import name`), and how that is written.
        own: name bound -> the module of this package that defines it.
        statements: the rest, in order.
    """

    name: str
    doc: str
    imports: Mapping[str, Import]
    own: Mapping[str, str]
    statements: tuple[Statement, ...]


def packaged_source(module: str) -> str:
    """The source of a module of this package.

    Raises:
        SeriesError: it is not there, as in a package without sources.
    """
    path = files(PACKAGE).joinpath(*module.split(".")[1:-1], module.rpartition(".")[2] + ".py")
    if not path.is_file():
        raise SeriesError(f"the source of {module} is not at {path}: install hf-grok with sources")
    return path.read_text(encoding="utf-8")


def bundle(entry: str, read: Read = packaged_source) -> str:
    """All of module `entry` and what it needs of this package, definitions before their use.

    Args:
        entry: dotted name.
        read: dotted name -> source.

    Returns:
        Source that imports nothing of this package; the same for the same sources.

    Raises:
        SeriesError: imports in a cycle, under another name, inside a function or of whole
            modules; two meanings of a name; a name that its module does not define.
    """
    modules = list(in_order(entry, read, ()))
    kept = needed(modules)
    _refuse_two_meanings(modules, kept)
    used = {name for statements in kept.values() for s in statements for name in s.uses}
    imports = {line for m in modules for name, line in m.imports.items() if name in used}
    head = "\n\n".join(text for text in (modules[-1].doc, _import_lines(imports)) if text)
    sections = [_section(module, kept[module.name]) for module in modules]
    return "\n\n\n".join([head, *sections]) + "\n"


def in_order(name: str, read: Read, above: tuple[str, ...]) -> Iterator[Module]:
    """A module after those that it imports, each once."""
    if name in above:
        raise SeriesError(f"{' -> '.join([*above, name])}: imports in a cycle cannot be bundled")
    module = take_apart(name, read(name))
    seen = set()
    for other in dict.fromkeys(module.own.values()):
        for found in in_order(other, read, (*above, name)):
            if found.name not in seen:
                seen.add(found.name)
                yield found
    yield module


def take_apart(name: str, source: str) -> Module:
    """Imports, imports of this package, and everything else."""
    tree, lines = ast.parse(source), source.splitlines(keepends=True)
    imports: dict[str, Import] = {}
    own: dict[str, str] = {}
    statements: list[Statement] = []
    end = 0
    for node in tree.body:
        if node.lineno <= end:
            raise SeriesError(f"{name}:{node.lineno}: two statements on a line cannot be bundled")
        begin, end = end, node.end_lineno or node.lineno
        if isinstance(node, ast.Import | ast.ImportFrom):
            _sort_import(name, node, imports, own)
        elif not _is_docstring(node, tree):
            _refuse_hidden_imports(name, node)
            statements.append(Statement("".join(lines[begin:end]), _binds(node), _uses(node)))
    return Module(name, _docstring(tree, source), imports, own, tuple(statements))


def needed(modules: list[Module]) -> dict[str, list[Statement]]:
    """Module -> the statements that the last of `modules`, the entry, needs; all of its own."""
    entry = modules[-1]
    wanted: dict[str, set[str]] = {module.name: set() for module in modules}
    wanted[entry.name] = {name for s in entry.statements for name in s.binds}
    kept = {}
    for module in reversed(modules):
        kept[module.name] = _reachable(module, wanted[module.name])
        for name in {name for s in kept[module.name] for name in s.uses} & set(module.own):
            wanted[module.own[name]].add(name)
    return kept


def _reachable(module: Module, wanted: set[str]) -> list[Statement]:
    """What defines the wanted names, what that uses, and what defines nothing but may do things."""
    defined = {name for s in module.statements for name in s.binds}
    if missing := sorted(wanted - defined):
        raise SeriesError(f"{module.name} does not define {', '.join(missing)}, which is imported")
    chosen: set[Statement] = set()
    while True:
        more = {s for s in module.statements if not s.binds or s.binds & wanted} - chosen
        if not more:
            return [s for s in module.statements if s in chosen]
        chosen |= more
        wanted = {name for s in more for name in s.uses}


def _sort_import(
    where: str, node: ast.Import | ast.ImportFrom, imports: dict[str, Import], own: dict[str, str]
) -> None:
    source = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    if source == "__future__":
        return
    for alias in node.names:
        bound = alias.asname or alias.name
        shown = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        ours = (source or alias.name).partition(".")[0] == PACKAGE
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        if relative or alias.name == "*" or (ours and (alias.asname or not source)):
            raise SeriesError(
                f"{where}:{node.lineno}: expected `from {PACKAGE}.module import name`, as it is; "
                "no other import of this package, and no star, can be bundled"
            )
        if ours:
            own[bound] = source
        else:
            key = bound if source or alias.asname else bound.partition(".")[0]
            imports[key] = (source, shown)


def _refuse_hidden_imports(where: str, node: ast.stmt) -> None:
    for inner in ast.walk(node):
        names = [alias.name for alias in inner.names] if isinstance(inner, ast.Import) else []
        if isinstance(inner, ast.ImportFrom):
            names = [inner.module or PACKAGE]  # a relative one is of this package
        if any(name.partition(".")[0] == PACKAGE for name in names):
            raise SeriesError(
                f"{where}:{node.lineno}: an import of {PACKAGE} inside a statement cannot be "
                "bundled: move it to the top"
            )


def _refuse_two_meanings(modules: list[Module], kept: Mapping[str, list[Statement]]) -> None:
    meanings: dict[str, object] = {}
    for module in modules:
        used = {name for s in kept[module.name] for name in s.uses}
        here: dict[str, object] = {n: line for n, line in module.imports.items() if n in used}
        here |= {name: module.name for s in kept[module.name] for name in s.binds}
        for name, meaning in here.items():
            if meanings.setdefault(name, meaning) != meaning:
                raise SeriesError(
                    f"{name} means two things, from {meanings[name]} and from {meaning}, which one "
                    "file cannot hold: rename one"
                )


def _binds(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return frozenset({node.name})
    stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return frozenset(n.id for n in stored if isinstance(n.ctx, ast.Store))


def _uses(node: ast.stmt) -> frozenset[str]:
    return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name))


def _is_docstring(node: ast.stmt, tree: ast.Module) -> bool:
    return node is tree.body[0] and ast.get_docstring(tree) is not None


def _docstring(tree: ast.Module, source: str) -> str:
    if ast.get_docstring(tree) is None:
        return ""
    return ast.get_source_segment(source, tree.body[0]) or ""


def _import_lines(imports: set[Import]) -> str:
    """`import a`, then `from b import c, d`, each sorted."""
    whole = sorted(f"import {shown}" for source, shown in imports if not source)
    sources = sorted({source for source, _ in imports if source})
    parts = [", ".join(sorted(name for s, name in imports if s == source)) for source in sources]
    return "\n".join([*whole, *map("from {} import {}".format, sources, parts)])


def _section(module: Module, statements: list[Statement]) -> str:
    text = "".join(statement.text for statement in statements).strip("\n")
    title = f"# {module.name.replace('.', '/')}.py"
    gap = "\n\n\n" if text.startswith(("def ", "class ", "@")) else "\n\n"
    return f"{title}{gap}{text}"
