"""Lists where `src` uses private names of other libraries.

    python tests/benchmarks/private_names.py [--root src/multimodal_sentiment]

A name counts as private if it begins with one underscore. Counted, once a file, are:

- imports of private modules and names (`from torch._dynamo.exc import ...`),
- private attributes, of whatever object, that this package does not define (`dataset._filepath`),
- private methods of `super()`, so those that take the place of a library's.

Left out are names that the package itself defines, and those that a library asks its users to
define or call: see `OFFERED`. The conf files are searched for dotted private names, too.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "src" / "multimodal_sentiment"
# What a library's documentation tells those who derive from its classes to define or to call.
OFFERED = {
    "_describe", "_exists", "_release",  # kedro.io.AbstractDataset
    "_filepath", "_version", "_get_load_path", "_get_save_path",  # the same, of self
    "_init_weights",  # transformers.PreTrainedModel
    "_asdict", "_replace", "_fields", "_make",  # named tuples: public, but for their spelling
}  # fmt: skip
# Of these, a library's own objects have attributes of the same name as objects of this package.
OF_SELF_ONLY = {"_filepath", "_version", "_get_load_path", "_get_save_path", "_path", "_protocol"}
PRIVATE = re.compile(r"_[a-zA-Z]\w*$")
IN_CONF = re.compile(r"\b[a-z]\w*(?:\.\w+)*\._[A-Za-z]\w*")


def is_private(name: str) -> bool:
    return PRIVATE.match(name) is not None


def defined_names(trees: list[ast.Module]) -> set[str]:
    """Private names that the package defines: functions, classes, variables, attributes of self."""
    names = set()
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    names.add(name)
                case ast.ClassDef(name=name):
                    names.add(name)
                case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                    names.add(name)
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                    names.add(name)
    return {name for name in names if is_private(name)}


def foreign_names(tree: ast.Module, package: str, defined: set[str]) -> Iterator[str]:
    """Private names of other libraries that a module uses."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if _any_private(alias.name))
            case ast.ImportFrom(module=str(module), names=names, level=0):
                if not module.startswith(package):
                    for alias in names:
                        if _any_private(f"{module}.{alias.name}"):
                            yield f"{module}.{alias.name}"
            case ast.Attribute(value=value, attr=name) if _is_foreign(value, name, defined):
                yield name
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(str(name)), *_]):
                if _is_foreign(value, name, defined):
                    yield name


def _is_foreign(owner: ast.expr, name: str, defined: set[str]) -> bool:
    """Whether an attribute is private and another library's."""
    own = isinstance(owner, ast.Name) and owner.id in ("self", "cls")
    inherited = isinstance(owner, ast.Call) and ast.unparse(owner.func) == "super"
    if not is_private(name) or (name in OFFERED and (own or inherited)):
        return False
    if name in OF_SELF_ONLY:
        return not own
    return name not in OFFERED and (inherited or name not in defined)


def _any_private(dotted: str) -> bool:
    return any(is_private(part) for part in dotted.split("."))


def find_private_names(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the private names of other libraries, by file."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in root.rglob("*.py")}
    defined = defined_names(list(trees.values()))
    found = {
        str(path.relative_to(root)): sorted(set(foreign_names(tree, root.name, defined)))
        for path, tree in sorted(trees.items())
    }
    conf = root.parents[1] / "conf"
    for path in sorted(conf.rglob("*.yml")):
        found[str(path.relative_to(conf.parent))] = sorted(set(IN_CONF.findall(path.read_text())))
    return {file: names for file, names in found.items() if names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the package's folder")
    found = find_private_names(parser.parse_args().root)
    for file, names in found.items():
        print(f"{file}: {', '.join(names)}")
    print(f"{sum(map(len, found.values()))} private names in {len(found)} files")


if __name__ == "__main__":
    main()
