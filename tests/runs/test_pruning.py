"""Old versions are removed on demand; what is newest stays."""

from __future__ import annotations

import pytest

from multimodal_sentiment.runs.pruning import Leftover, describe

MODEL = "06_models/fusion_model.json"


@pytest.fixture
def used(project):
    """A project after three trainings, one inference, and a run that failed."""
    for pipeline in ("training", "inference", "training", "training"):
        project.run(pipeline)
    with pytest.raises(ValueError, match="is unknown"):
        project.run(trouble={"error": "value"})
    return project


def test_newest_versions_of_each_dataset_stay(used):
    first, second, third = used.versions(MODEL)
    inference = used.versions("07_model_output/predictions.csv")

    status, output = used.command("prune", "--keep=2", "--yes")

    assert status == 0, output
    assert used.versions(MODEL) == [second, third]
    assert used.versions("02_intermediate/counts.csv") == [second, third]
    assert used.versions("07_model_output/predictions.csv") == inference
    assert (used.data / "07_model_output/submission.txt").exists()
    assert f"08_reporting/metrics.json/{first}  (old version of metrics)" in output


def test_records_of_what_is_gone_and_of_failures_go_too(used):
    _first, inference, second, third, _failed = (record["run"] for record in used.records())

    used.command("prune", "--keep=2", "--yes")

    assert [record["run"] for record in used.records()] == [inference, second, third]
    logs = {path.stem for path in (used.data / "runs").glob("*.log")}
    assert logs == {inference, second, third}


def test_incomplete_version_is_removed_and_does_not_count(used):
    *_, second, third = used.versions(MODEL)
    (used.data / MODEL / third / "fusion_model.json").write_text("{")

    used.command("prune", "--keep=1", "--yes")

    assert used.versions(MODEL) == [second]


@pytest.mark.fault("run", "a version that the system does not give", "it is not pruned")
def test_a_version_that_cannot_be_read_for_now_is_no_incomplete_one(used):
    _, second, third = used.versions(MODEL)
    file = used.data / MODEL / second / "fusion_model.json"
    file.unlink()
    file.symlink_to(file)  # neither missing nor forbidden: reading it is an error of the system

    used.command("prune", "--keep=1", "--yes")

    assert used.versions(MODEL) == [second, third]


def test_nothing_is_removed_without_consent(used):
    before = used.results()
    process = used.start("prune", "--keep=1", stdin=-1)
    output, _ = process.communicate("n\n", timeout=30)

    assert process.returncode == 1
    assert "Remove these" in output
    assert used.results() == before
    assert len(used.records()) == 5


@pytest.mark.fault("run", "much that is small among what can be pruned", "one line of it")
@pytest.mark.parametrize(
    ("sizes", "lines"),
    [
        ([1_234_000, 200, 100, 90], ["    1.2 MB  0 ", "     390 B  3 smaller files"]),
        ([5_000_000_000, 2_000_000, 10], ["    5.0 GB  0 ", "    2.0 MB  2 smaller files"]),
        ([999, 20], ["     999 B  0 ", "      20 B  1 "]),
        ([100_000, 5], ["  100.0 kB  0 ", "       5 B  1 "]),  # a single small one has its name
    ],
)
def test_small_change_is_folded_together(tmp_path, sizes, lines):
    leftovers = []
    for name, size in enumerate(sizes):
        with (tmp_path / str(name)).open("wb") as file:
            file.truncate(size)  # a hole: takes no space
        leftovers.append(Leftover(tmp_path / str(name), "old version of x"))

    told = describe(leftovers, tmp_path)

    assert len(told) == len(lines)
    assert all(line.startswith(start) for line, start in zip(told, lines, strict=True))
    if len(sizes) > len(lines):
        assert told[-1].endswith(f"({len(sizes) - 1} old versions)")


def test_another_data_folder_can_be_pruned(used):
    used.run("training", params={"data": "other"})
    used.run("training", params={"data": "other"})

    used.command("prune", "--keep=1", "--yes", "--params=data=other")

    assert len(list((used.path / "other" / MODEL).iterdir())) == 1
    assert len(used.versions(MODEL)) == 3


def test_nothing_to_remove_is_said(project):
    project.run()

    status, output = project.command("prune", "--keep=1")

    assert (status, output) == (0, f"Nothing to remove from {project.data}.\n")


def test_keeping_nothing_is_refused(project):
    status, output = project.command("prune", "--keep=0", "--yes")

    assert status == 2
    assert "0 is not in the range x>=1" in output
