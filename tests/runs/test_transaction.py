"""What a run wrote appears whole, or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
from kedro.runner import SequentialRunner, ThreadRunner

from multimodal_sentiment import files
from multimodal_sentiment.fingerprint import LIBRARIES
from multimodal_sentiment.runs import staging, transaction
from multimodal_sentiment.runs.records import Record

MODEL = "06_models/fusion_model.json"


def read_model(project: Any) -> dict[str, Any]:
    newest = project.versions(MODEL)[-1]
    return json.loads((project.data / MODEL / newest / "fusion_model.json").read_text())


@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner])
def test_success_puts_everything_into_place(project, runner):
    project.run(runner=runner())

    version = project.versions(MODEL)[0]
    assert set(project.results()) == {
        "01_raw/source.csv",
        f"02_intermediate/counts.csv/{version}/counts.csv",
        f"06_models/fusion_model.json/{version}/fusion_model.json",
        f"07_model_output/predictions.csv/{version}/predictions.csv",
        "07_model_output/submission.txt",
        f"08_reporting/metrics.json/{version}/metrics.json",
    }
    assert project.staged() == []


def test_parallel_runner_is_a_transaction_too(project):
    status, output = project.kedro("run", "--runner=ParallelRunner")

    assert status == 0, output
    assert len(project.versions(MODEL)) == 1
    assert project.staged() == []


@pytest.mark.fault("run", "--runner=ParallelRunner, and something passed on in memory", "one line")
def test_what_parallel_runner_cannot_pass_on_is_refused_before_the_first_node(project):
    (project.path / "conf/local/catalog.yml").write_text("counts: {type: MemoryDataset}\n")

    status, output = project.command("run", "--runner=ParallelRunner")

    assert (status, output) == (
        1,
        "Error: --runner=ParallelRunner starts processes that cannot pass on counts in memory: "
        "leave it out\n",
    )
    assert project.records() == []


def test_nothing_is_in_place_before_the_end(project):
    held = project.start_held()
    try:
        assert set(project.results()) == {"01_raw/source.csv", "06_models/scratch/state"}
    finally:
        held.kill()
        held.communicate()


def test_a_run_reads_what_it_wrote_itself(project, monkeypatch):
    project.run()
    foreign = project.data / "02_intermediate/counts.csv"

    # Another program writes a version with a later name while the run goes on.
    later = foreign / "2999-01-01T00.00.00.000Z" / "counts.csv"
    original = transaction.Transaction.begin

    def begin(*arguments):
        begun = original(*arguments)
        later.parent.mkdir()
        later.write_text("rows\n77\n")

        return begun

    monkeypatch.setattr(transaction.Transaction, "begin", begin)
    project.run("training")

    assert read_model(project)["rows"] == 2


def test_results_can_be_loaded_from_their_final_place(project):
    results = project.run()

    assert results["submission_file"].load()["rows"].tolist() == [2]
    assert results["metrics"].load()["rows"] == 2
    assert str(project.data / "07_model_output") in str(results["predictions"]._get_load_path())


def test_failure_keeps_nothing_and_leaves_newest_as_it_was(project):
    project.run()
    before = project.results()

    with pytest.raises(ValueError, match="is unknown"):
        project.run(trouble={"error": "value"})

    after = project.results()
    after.pop("06_models/scratch/state")  # for the next try
    assert after == before
    assert project.staged() == []
    assert project.records()[-1]["outcome"] == "failed"


def test_interrupt_in_a_notebook_is_cleaned_up_by_the_next_run(project):
    project.run()
    with pytest.raises(KeyboardInterrupt):
        project.run(trouble={"interrupt": True})

    project.run()

    assert [record["outcome"] for record in project.records()] == [
        "completed",
        "interrupted",
        "completed",
    ]
    assert project.staged() == []


def test_scratch_folders_outlive_failures_only(project):
    state = project.data / "06_models/scratch/state"
    with pytest.raises(ValueError, match="is unknown"):
        project.run(trouble={"error": "value"})
    assert state.exists()

    project.run()

    assert not state.exists()


def test_only_missing_outputs_runs_what_is_missing(project):
    project.run("training")
    version = project.versions(MODEL)[0]

    project.run(only_missing_outputs=True)

    assert project.versions(MODEL) == [version]
    assert project.records()[-1]["reads"] == {"fusion_model": version}
    assert (project.data / "07_model_output/submission.txt").exists()


def test_unversioned_output_is_replaced_at_once(project):
    project.run()
    (project.data / "01_raw/source.csv").write_text("guid,tag\n1,positive\n")

    project.run()

    assert (project.data / "07_model_output/submission.txt").read_text() == "rows\n1\n"


def test_layer_on_another_disk_is_copied_and_then_renamed(project, monkeypatch):
    replace = os.replace

    def refuse(source, target):
        if "runs" in Path(source).parts and Path(source).suffix != ".partial":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", refuse)
    project.run()

    assert read_model(project)["rows"] == 2
    assert (project.data / "07_model_output/submission.txt").read_text() == "rows\n2\n"
    hidden = [path for path in project.data.rglob(".*") if path.name != ".lock"]
    assert hidden == []
    assert project.staged() == []


def test_output_outside_of_the_data_folder_is_written_directly(project):
    catalog = project.path / "conf/base/catalog.yml"
    text = catalog.read_text().replace("${_data}/07_model_output/submission.txt", "elsewhere.txt")
    catalog.write_text(text)

    project.run()

    assert (project.path / "elsewhere.txt").exists()
    assert "submission_file" not in project.records()[-1]["writes"]


def test_record_says_what_the_run_was(project):
    project.run("training")
    project.run("inference")

    training, inference = project.records()
    assert training["pipelines"] == ["training"]
    assert training["parameters"]["trouble"]["ballast"] == 0
    assert training["reads"]["source"] is None
    assert training["writes"] == dict.fromkeys(
        ["counts", "fusion_model", "metrics"], training["run"]
    )
    assert inference["reads"] == {"fusion_model": training["run"]}
    assert inference["writes"] == {"predictions": inference["run"], "submission_file": None}
    assert list(training["seconds"]) == ["count_rows", "train", "judge"]
    assert {"kedro", *LIBRARIES} <= training["packages"].keys()
    assert training["outcome"] == "completed"
    assert training["started"] <= training["ended"]
    assert training["pid"] is None


def test_record_names_the_commit(project):
    git = shutil.which("git")
    if not git:
        pytest.skip("no git")
    author = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for arguments in (["init"], ["add", "pyproject.toml"], [*author, "commit", "-m", "x"]):
        subprocess.run([git, *arguments], cwd=project.path, check=True, capture_output=True)
    project.run("counting")
    (project.path / "pyproject.toml").open("a").write("\n")
    project.run("counting")

    clean, dirty = (record["git"] for record in project.records())
    assert len(clean) == 40
    assert dirty == clean + "-dirty"


def seal_a_run(project: Any, monkeypatch: pytest.MonkeyPatch, moves_done: int) -> None:
    """Have a run stop dead after some of its moves."""
    done = 0
    move = staging.move

    class Killed(BaseException):
        pass

    def stop(source, target):
        nonlocal done
        if done == moves_done:
            raise Killed
        done += 1
        move(source, target)

    monkeypatch.setattr(staging, "move", stop)
    with pytest.raises(Killed):
        project.run()
    monkeypatch.undo()


@pytest.mark.fault("run", "killed while outputs move into place", "finished by the next")
@pytest.mark.parametrize("moves_done", [0, 1, 4])
def test_run_killed_while_moving_is_finished_by_the_next(project, monkeypatch, moves_done):
    seal_a_run(project, monkeypatch, moves_done)
    first = project.records()[0]
    assert first["outcome"] == "committing"

    with pytest.raises(ValueError, match="is unknown"):
        project.run("training", trouble={"error": "value"})

    assert project.records()[0]["outcome"] == "completed"
    assert set(project.results()) - {"06_models/scratch/state"} == {
        "01_raw/source.csv",
        f"02_intermediate/counts.csv/{first['run']}/counts.csv",
        f"06_models/fusion_model.json/{first['run']}/fusion_model.json",
        f"07_model_output/predictions.csv/{first['run']}/predictions.csv",
        "07_model_output/submission.txt",
        f"08_reporting/metrics.json/{first['run']}/metrics.json",
    }
    assert project.staged() == []


def test_move_that_fails_is_tried_again_by_the_next_run(project, monkeypatch, caplog):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging, "move", full)
    with pytest.raises(click.ClickException, match="free some space"):
        project.run("training")
    assert "not all outputs are in place: the next run moves the rest" in caplog.text
    monkeypatch.undo()

    project.run("inference")

    assert [record["outcome"] for record in project.records()] == ["completed", "completed"]
    assert project.records()[1]["reads"] == {"fusion_model": project.records()[0]["run"]}


def test_record_that_cannot_be_written_at_the_end_keeps_nothing(project, monkeypatch):
    def full(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transaction.Transaction, "seal", full)
    with pytest.raises(click.ClickException, match="No space left on device: free some space"):
        project.run("training")

    assert set(project.results()) == {"01_raw/source.csv", "06_models/scratch/state"}
    assert project.staged() == []
    assert project.records()[0]["outcome"] == "failed"


def test_record_of_another_version_of_the_project_is_acted_upon(project, monkeypatch):
    seal_a_run(project, monkeypatch, moves_done=1)
    (path,) = (project.data / "runs").glob("*.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "unheard_of": 1}))

    project.run("inference")

    assert project.records()[0]["outcome"] == "completed"
    assert project.records()[1]["reads"] == {"fusion_model": record["run"]}


def test_interrupt_while_moving_says_that_the_next_run_finishes(project, monkeypatch, caplog):
    def interrupt(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(staging, "move", interrupt)
    with pytest.raises(KeyboardInterrupt):
        project.run("training")

    assert "not all outputs are in place: the next run moves the rest" in caplog.text


def make_record(run: str, **fields: Any) -> Record:
    return Record(
        run=run,
        pipelines=[],
        command=None,
        env=None,
        parameters={},
        reads={},
        writes={},
        git=None,
        packages={},
        started="",
        **fields,
    )


def test_dataset_of_a_failed_run_loads_what_was_newest_before(project):
    project.run()
    catalogs = []

    class Noting(SequentialRunner):
        def run(self, pipeline, catalog, *arguments, **options):
            catalogs.append(catalog)
            return super().run(pipeline, catalog, *arguments, **options)

    (project.data / "01_raw/source.csv").write_text("guid,tag\n1,positive\n")
    with pytest.raises(ValueError, match="is unknown"):
        project.run("training", trouble={"error": "value"}, runner=Noting())

    assert catalogs[0].load("counts")["rows"].tolist() == [2]


def test_unversioned_folder_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").touch()
    staged = tmp_path / "runs" / "1" / "folder"
    staged.mkdir(parents=True)
    (staged / "new").touch()

    staging.finish(tmp_path, make_record("1", moves=["folder"]))

    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["new"]


def test_foreign_files_among_the_records_are_left_alone(project):
    runs = project.data / "runs"
    (runs / "notes").mkdir(parents=True)
    (runs / "notes.json").write_text("[1, 2")
    (runs / "other.json").write_text('{"outcome": "running"}')

    project.run()

    assert (runs / "notes").is_dir()
    assert (runs / "notes.json").read_text() == "[1, 2"
    assert (runs / "other.json").read_text() == '{"outcome": "running"}'


def test_a_cluster_is_stopped_while_signals_still_end_the_process_in_order(project, monkeypatch):
    handlers = []

    def open_cluster(pipeline, parameters, held):
        held.callback(lambda: handlers.append(signal.getsignal(signal.SIGTERM)))

    monkeypatch.setattr(transaction, "_open_cluster", open_cluster)
    project.run("training")

    assert signal.SIG_DFL not in handlers
    assert len(handlers) == 1
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
