"""Private names of other libraries stand in few files, each with its reason."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "private_names.py"
ADAPTERS = {
    "compute/compile.py",
    "compute/device.py",
    "runs/kedro_adapter.py",
}


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("private_names", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_private_names_stand_in_adapters_only(script: ModuleType) -> None:
    found = script.find_private_names()

    assert found.keys() <= ADAPTERS


def test_each_way_to_use_a_private_name_is_found(script: ModuleType, tmp_path: Path) -> None:
    package = tmp_path / "src" / "package"
    package.mkdir(parents=True)
    (package / "uses.py").write_text(
        "import torch._dynamo\n"
        "from kedro.io._x import y\n"
        "from kedro.io import _z\n"
        "from package._own import fine\n"
        "class A(B):\n"
        "    def _mine(self): return super()._theirs()\n"
        "    def _describe(self): return self._filepath, self._mine, self._version\n"
        "def f(a, row): return a._filepath, getattr(a, '_protocol'), a._mine, row._asdict()\n"
    )
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "x.yml").write_text("a: {class: logging._Handler, b: ${_mine}}\n")

    assert script.find_private_names(package) == {
        "uses.py": ["_filepath", "_protocol", "_theirs", "kedro.io._x.y", "kedro.io._z",
                    "torch._dynamo"],
        "conf/x.yml": ["logging._Handler"],
    }  # fmt: skip
