"""A data folder may come from anywhere: its records are looked at before they are acted upon."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

RECORD = {
    "pipelines": ["training"], "command": None, "env": None, "parameters": {}, "reads": {},
    "writes": {}, "git": None, "packages": {}, "started": "", "outcome": "committing",
}  # fmt: skip


@pytest.mark.fault("hostile", "a record that names places outside of the data folder", "ignored")
@pytest.mark.parametrize(
    ("run", "moves"),
    [
        ("2020-01-01T00.00.00.000Z", ["../../precious"]),
        ("2020-01-01T00.00.00.000Z", ["02_intermediate/../../../precious"]),
        ("2020-01-01T00.00.00.000Z", ["/etc/hostname"]),
        ("2020-01-01T00.00.00.000Z", [""]),
        ("2020-01-01T00.00.00.000Z", ["."]),
        ("", []),
        (".", []),
        ("..", []),
        ("../..", []),
        ("../../precious", []),
        ("another", []),
    ],
)
def test_a_record_reaches_nothing_outside(project, run, moves):
    project.run("counting")
    precious = project.path / "precious"
    (precious / "folder").mkdir(parents=True)
    (precious / "folder" / "letter").write_text("mine")
    record = {**RECORD, "run": run, "moves": moves}
    path = project.data / "runs" / "2020-01-01T00.00.00.000Z.json"
    path.write_text(json.dumps(record))
    (project.data / "runs" / "precious").mkdir()
    before = project.results()

    project.run("counting")

    assert before.items() <= project.results().items()
    assert (precious / "folder" / "letter").read_text() == "mine"
    assert len(project.records()) == 3


@pytest.mark.fault("run", "a record that is none", "left alone, and the run goes on")
@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "1", '"x"', "[" * 100_000, '{"run": 1}', "\0", "\ufeff{}",
        json.dumps({**RECORD, "run": "x", "moves": "all"}),
        json.dumps({**RECORD, "run": "x", "writes": None}),
        json.dumps({**RECORD, "run": "x", "outcome": "unheard of"}),
        json.dumps({**RECORD, "run": "x", "seconds": {"node": "long"}}),
    ],
)  # fmt: skip
def test_a_record_that_is_none_is_left_alone(project, content):
    (project.data / "runs").mkdir(parents=True)
    (project.data / "runs" / "x.json").write_text(content, encoding="utf-8")

    project.run("counting")

    assert (project.data / "runs" / "x.json").read_text(encoding="utf-8") == content


@pytest.mark.fault("run", "a folder in place of a record", "left alone, and the run goes on")
def test_a_folder_named_as_a_record_is_left_alone(project):
    (project.data / "runs" / "x.json").mkdir(parents=True)

    project.run("counting")

    assert (project.data / "runs" / "x.json").is_dir()


@pytest.mark.fault("run", "killed while a record was written", "what is left of it is removed")
def test_half_a_record_is_removed(project):
    (project.data / "runs").mkdir(parents=True)
    (project.data / "runs" / "2020-01-01T00.00.00.000Z.partial").write_text('{"run"')

    project.run("counting")

    assert not list((project.data / "runs").glob("*.partial"))


@pytest.mark.fault("run", "a run that is refused on a new data folder", "leaves nothing behind")
@pytest.mark.parametrize("place", ["new/deeper", "data"])
def test_a_refused_run_leaves_no_trace(project, place):
    existed = (project.path / place).exists()
    before = sorted(project.path.rglob("*"))

    status, output = project.kedro("run", "--pipeline=inference", f"--params=data={place}")

    assert status == 1
    assert "Error: " in output
    assert sorted(path for path in project.path.rglob("*") if "__pycache__" not in str(path)) == [
        path for path in before if "__pycache__" not in str(path)
    ]
    assert (project.path / place).exists() == existed


@pytest.mark.fault("run", "pruning a folder that is not there", "leaves nothing behind")
def test_pruning_nothing_leaves_no_trace(project):
    status, output = project.command("prune", "--keep=1", "--params=data=nowhere")

    assert status == 0, output
    assert "Nothing to remove" in output
    assert not (project.path / "nowhere").exists()


@pytest.mark.fault("run", "a version that is a link to another place", "pruning leaves it alone")
def test_pruning_does_not_follow_links(project):
    project.run("counting")
    elsewhere = project.path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "counts.csv").write_text("rows\n1\n")
    counts = project.data / "02_intermediate" / "counts.csv"
    (counts / "2020-01-01T00.00.00.000Z").symlink_to(elsewhere)

    status, output = project.command("prune", "--keep=1", "--yes")

    assert status == 0, output
    assert (counts / "2020-01-01T00.00.00.000Z").is_symlink()
    assert (elsewhere / "counts.csv").exists()


@pytest.mark.fault("run", "an output folder that is read-only", "one line, nothing written")
@pytest.mark.parametrize("place", ["data", "data/runs", "data/02_intermediate"])
def test_a_read_only_folder_gives_one_line(project, place, as_nobody_special):
    folder = project.path / place
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o500)
    before = project.results()
    process = project.start("run", "--pipeline=counting", wrapper=as_nobody_special)
    output, _ = process.communicate(timeout=60)
    folder.chmod(0o700)

    assert process.returncode == 1
    *_, line = output.splitlines()
    assert line.startswith("Error: ")
    assert "Permission denied: allow this user to, or take another folder" in line
    assert "Traceback" not in output
    assert project.results() == before


@pytest.mark.fault("run", "a disk that is full, before, during and after", "one line, nothing kept")
@pytest.mark.parametrize("free", [0, 40_000, 400_000])
def test_a_full_disk_gives_one_line(project, small_disk: Path, free):
    shutil.copytree(project.data / "01_raw", small_disk / "01_raw")
    with (small_disk / "ballast").open("wb") as ballast:
        size = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        ballast.write(b"x" * (size - free))
    before = sorted(path for path in small_disk.rglob("*") if path.is_file())

    status, output = project.kedro(
        "run", "--pipeline=training", f"--params=data={small_disk},trouble.ballast=1000000"
    )

    assert status == 1
    *_, line = output.splitlines()
    assert line.startswith("Error: ")
    assert "No space left on device: free some space, or write elsewhere" in line
    assert "Traceback" not in output
    after = [path for path in small_disk.rglob("*") if path.is_file()]
    after = [path for path in after if "runs" not in path.parts and "scratch" not in path.parts]
    assert sorted(after) == before
