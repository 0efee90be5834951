"""Runs that are killed, interrupted, short of space, or two at once: real processes."""

from __future__ import annotations

import resource
import signal

import click
import pytest

MODEL = "06_models/fusion_model.json"
STATE = "06_models/scratch/state"
RESUMABLE = "what it has computed is kept: --params training.resume=true goes on from there"


def results_but_scratch(project):
    return {name: content for name, content in project.results().items() if name != STATE}


@pytest.mark.fault("run", "SIGKILL in the training node", "newest as it was, the next cleans up")
def test_killed_run_leaves_newest_as_it_was_and_the_next_cleans_up(project):
    project.run()
    before = project.results()
    held = project.start_held()
    held.kill()
    held.communicate()
    assert results_but_scratch(project) == before
    assert project.records()[-1]["outcome"] == "running"
    assert len(project.staged()) == 1

    status, output = project.kedro("run", "--pipeline=inference")

    assert status == 0, output
    completed, killed, inference = project.records()
    assert killed["outcome"] == "killed"
    assert inference["reads"] == {"fusion_model": completed["run"]}
    assert project.staged() == []
    assert f"{killed['run']} (training) was killed: what it wrote is removed" in output


@pytest.mark.fault("run", "Ctrl-C, SIGTERM, SIGHUP", "nothing kept, one line")
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 129)],
)
def test_interrupted_run_cleans_up_itself(project, number, status):
    held = project.start_held()
    held.send_signal(number)
    output, _ = held.communicate(timeout=30)

    assert held.returncode == status
    assert output.splitlines()[-1].endswith(f"(training) interrupted: {RESUMABLE}")
    assert output.count("interrupted") == 1
    assert "Traceback" not in output
    assert project.records()[0]["outcome"] == "interrupted"
    assert set(results_but_scratch(project)) == {"01_raw/source.csv"}
    assert project.staged() == []


@pytest.mark.fault("run", "two runs at once", "the second says who has the folder")
def test_second_run_at_once_is_refused_and_the_first_unharmed(project):
    first = project.start_held()

    status, output = project.kedro("run", "--pipeline=training")
    pruned, said = project.kedro("prune", "--keep=1", "--yes")
    project.let_go()
    rest, _ = first.communicate(timeout=30)

    (record,) = project.records()
    assert status == 1
    (line,) = output.splitlines()
    assert line == (
        f"Error: {project.data}: in use by Run {record['run']} (training), process {first.pid}, "
        f"since {record['started']}: wait for it"
    )
    assert pruned == 1
    assert said == output
    assert first.returncode == 0, rest
    assert record["outcome"] == "completed"
    assert project.versions(MODEL) == [record["run"]]

    project.run("training")  # it has waited for it


@pytest.mark.fault("run", "a limit to the size of files", "one line, nothing kept")
def test_full_disk_gives_one_line_and_keeps_nothing(project):
    project.run()
    before = project.results()

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    status, output = project.kedro(
        "run", "--pipeline=training", "--params=trouble.ballast=1000000", preexec_fn=small_files
    )

    assert status == 1
    *_, error = output.splitlines()
    assert error.startswith("Error: train, saving fusion_model: ")
    assert "File too large: allow larger files, or write elsewhere with --params" in error
    assert "Traceback" not in output
    assert results_but_scratch(project) == before
    assert project.records()[-1]["outcome"] == "failed"
    assert project.staged() == []


@pytest.mark.fault("run", "a data folder that is a file, or cannot be", "one line, what to do")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("pyproject.toml", "pyproject.toml/runs: Not a directory"),
        ("pyproject.toml/deeper", "pyproject.toml/deeper/runs: Not a directory"),
        ("/proc/here", "/proc/here: No such file or directory"),
        ("/dev/null", "/dev/null/runs: Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_data_folder_that_cannot_be_gives_one_line(project, data, words):
    with pytest.raises(click.ClickException) as caught:
        project.run(params={"data": data})

    line = caught.value.message
    assert words in line
    assert "[Errno" not in line
    assert line.endswith(": name another folder with --params data=FOLDER")
    assert len(line.splitlines()) == 1


@pytest.mark.fault("run", "a pattern in the data folder's name", "refused in words, at once")
@pytest.mark.parametrize("data", ["o{namespace}", "o{x}", "a[b]", "a*", "a?b", "{", "a/{b}/c"])
def test_a_data_folder_that_is_a_pattern_is_refused(project, data):
    before = sorted(project.path.rglob("*"))
    with pytest.raises(click.ClickException, match=r"holds one of .*: choose another folder"):
        project.run(params={"data": data})

    assert sorted(project.path.rglob("*")) == before


def test_worker_that_outlives_a_killed_run_does_not_hold_the_folder(project):
    held = project.start_held("trouble.worker=true")
    held.kill()
    held.wait()

    status, output = project.kedro("run", "--pipeline=training")

    project.let_go()  # and with it the worker
    assert status == 0, output


def test_forked_process_that_exits_ends_no_run(project):
    status, output = project.kedro("run", "--params=trouble.fork=true")

    assert status == 0, output
    assert len(project.versions("02_intermediate/counts.csv")) == 1
    assert len(project.versions(MODEL)) == 1
