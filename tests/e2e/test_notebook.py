from __future__ import annotations

import json
import re

import pytest

from ..commands import PROJECT, Project

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]

    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run_from_start_to_end(path, trained_project: Project, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="needs the extra test: nbformat")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra test: nbclient")
    pytest.importorskip("ipykernel", reason="needs the extra test: ipykernel")
    monkeypatch.setenv("TMPDIR", str(trained_project.path))
    monkeypatch.setenv("PYTHONPATH", str(trained_project.path / "src"))
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(trained_project.path / "notebooks")}}

    nbclient.NotebookClient(notebook, timeout=120, resources=place).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = [html for output in outputs if (html := output.get("data", {}).get("text/html"))]
    if path.stem == "look_around":
        assert any("&lt;svg viewBox=" in html for html in pages)  # the report, with its charts
        assert any('class="explanation"' in html for html in pages)
    assert not any(re.search(r"""(src|href)=["']http""", html) for html in pages)
    assert not any(re.search(r"<img (?![^>]*alt=)", html) for html in pages)
    assert not [output for output in outputs if "image/png" in output.get("data", {})]
    warned = "".join(output["text"] for output in outputs if output.get("name") == "stderr")
    assert "IFrame" not in warned
    last = notebook.cells[-1].outputs[-1]
    assert "predicted" in last["data"]["text/plain"]
