"""What a run says."""

from __future__ import annotations

import errno
import re
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
import pytest
import torch
import yaml
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline
from kedro.pipeline.pipeline import CircularDependencyError
from kedro_datasets.pandas import CSVDataset
from kedro_viz.launchers.cli.run import run as viz
from safetensors import SafetensorError
from safetensors.numpy import save_file

from multimodal_sentiment.datasets import HtmlPageDataset, ScratchFolderDataset
from multimodal_sentiment.runs.closing_summary import describe_kept
from multimodal_sentiment.runs.error_lines import error_in_one_line, is_expected
from multimodal_sentiment.runs.flags import inference_flags
from multimodal_sentiment.wording import (
    duration,
    exact_percent,
    floored_percent,
    least_confidence,
    reason,
    rounded_number,
    rounded_percent,
)

from .conftest import REPOSITORY


def said(output: str) -> list[str]:
    """The lines of a log on the screen, without time, level and version."""
    lines = [line[17:] for line in output.splitlines()]
    return [re.sub(r"\d{4}-\d\d-\d\dT[\d.]+Z", "VERSION", line) for line in lines]


def test_successful_run_says_what_was_written_where_and_what_to_do_next(project):
    status, output = project.kedro("run", "--pipeline=training")

    assert status == 0
    assert [re.sub(r"\d+\.\d s", "N s", line) for line in said(output)] == [
        "Run VERSION (training): 3 nodes, log in data/runs/VERSION.log",
        "1/3 count_rows: N s",
        "2/3 train: N s",
        "3/3 judge: N s",
        "Run VERSION (training) completed in N s",
        "  data/02_intermediate: counts",
        "  data/06_models: fusion_model",
        "  data/08_reporting: metrics",
        "accuracy 0.731 (0.700 to 0.760), macro-F1 0.571; "
        "best baseline (tfidf): accuracy 0.671, macro-F1 0.500",
        "Next: kedro run --pipeline=inference, or kedro viz run to look at it all",
    ]


def test_the_next_command_is_for_the_same_folders(project, caplog, monkeypatch):
    monkeypatch.chdir(project.path)

    project.run("training", params={"data": "else where"}, trouble={"ballast": 1})

    assert caplog.messages[-1] == (
        "Next: kedro run --pipeline=inference --params 'data=else where', "
        "or kedro viz run --params 'data=else where' to look at it all"
    )


@pytest.mark.parametrize(
    ("params", "flags"), [({}, " --env=other"), ({"data": "x"}, " --env=other --params data=x")]
)
def test_the_next_command_is_for_the_same_environment(project, caplog, params, flags):
    (project.path / "conf/other").mkdir()

    project.session(env="other", runtime_params=params).run(pipeline_names=["training"])

    assert caplog.messages[-1] == (
        f"Next: kedro run --pipeline=inference{flags}, or kedro viz run{flags} to look at it all"
    )


def test_the_next_command_prepares_images_as_the_training_did():
    given = {"preparation": {"short_side": 64}, "training": {"epochs": 1}, "raw": "old.csv"}

    assert inference_flags({"env": None, "runtime_params": given}, raw="NEW.csv") == (
        " --params preparation.short_side=64,raw=NEW.csv"
    )


@pytest.mark.parametrize("data", ["2024_05", "1", "07", "true", "a,b"])
def test_kedro_viz_is_not_named_with_folders_that_it_would_read_otherwise(
    project, caplog, monkeypatch, data
):
    monkeypatch.chdir(project.path)

    project.run("training", params={"data": data}, trouble={"ballast": 1})

    assert f"data={data}" in caplog.messages[-1].partition(", or ")[0]
    assert caplog.messages[-1].endswith(
        "or kedro viz run to look at it all, once conf/local/globals.yml names these folders"
    )
    option = next(option for option in viz.params if option.name == "params")
    with suppress(click.UsageError):
        assert option.process_value(click.Context(viz), f"data={data}") != {"data": data}


def test_inference_says_where_the_submission_is(project, caplog, monkeypatch):
    monkeypatch.chdir(project.path)
    project.run("training")
    caplog.clear()

    project.run("inference")

    assert caplog.messages[-1] == "The submission is data/07_model_output/submission.txt"


def test_one_node_is_one_node(project, caplog):
    project.run("counting")

    assert "(counting): 1 node, log in " in caplog.text


@pytest.mark.fault("run", "Ctrl-C before the run begins", "said, in one line")
@pytest.mark.parametrize("moment", ["load_context", "_get_config_loader", "run"])
def test_interrupt_before_a_run_has_begun_is_said(project, monkeypatch, moment):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(KedroSession, moment, interrupt)
    status, output = project.command("run")

    assert (status, output) == (130, "Interrupted before a run had begun: nothing is written\n")
    assert not (project.data / "runs").exists()


@pytest.mark.fault("run", "Ctrl-C while files are read, and in a node", "which run, what is kept")
@pytest.mark.parametrize("trouble", ["reading", "training", "saving"])
def test_interrupt_says_which_run_what_is_kept_and_how_to_go_on(
    project, monkeypatch, caplog, trouble
):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    if trouble == "reading":
        monkeypatch.setattr(CSVDataset, "load", interrupt)
    elif trouble == "saving":
        monkeypatch.setattr(CSVDataset, "save", interrupt)
    params = ["--params=trouble.interrupt=true"] if trouble == "training" else []
    status, _ = project.command("run", "--pipeline=training", *params)

    (record,) = project.records()
    ways = {
        "training": "what it has computed is kept: --params training.resume=true goes on from there"
    }
    kept = ways.get(trouble, "nothing of it is kept: the same command starts it anew")
    assert status == 130
    assert caplog.messages[-1] == f"Run {record['run']} (training) interrupted: {kept}"
    assert record["outcome"] == "interrupted"
    assert project.staged() == []


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (["comparison_trainings", "search_trials"], "the same command goes on from there"),
        (["unfinished_features"], "the same command uses its features again"),
        (
            ["unfinished_features", "training_checkpoints"],
            "the same command uses its features again; "
            "--params training.resume=true goes on from there",
        ),
    ],
)
def test_how_to_go_on_is_said_once(tmp_path, kept, said):
    entries = yaml.safe_load((REPOSITORY / "conf/base/catalog.yml").read_text(encoding="utf-8"))
    folders = {}
    for name in kept:
        (tmp_path / name).mkdir()
        (tmp_path / name / "some").touch()
        folders[name] = ScratchFolderDataset(
            path=str(tmp_path / name), to_go_on=entries[name]["to_go_on"]
        )
    pipeline = Pipeline([Node(lambda *_: None, kept, "result", name="compute")])

    words = describe_kept(pipeline, DataCatalog(folders), "interrupted")

    assert words.partition(": ")[0] == "what it has computed is kept"
    assert sorted(words.partition(": ")[2].split("; ")) == sorted(said.split("; "))


def test_failing_run_says_one_line_and_logs_the_traceback(project):
    status, output = project.kedro("run", "--params=trouble.error=value")

    (record,) = project.records()
    log = project.data / "runs" / f"{record['run']}.log"
    assert status == 1
    *_, last_but_one, last = output.splitlines()
    assert last_but_one.endswith("training.resume=true goes on from there")
    assert (
        last == f"Error: train: tag [x] is unknown (traceback in {log.relative_to(project.path)})"
    )
    assert "Traceback" not in output
    assert record["error"] == "train: tag [x] is unknown"
    assert 'raise {"value": ValueError' in log.read_text()
    assert "1/4 count_rows" in log.read_text()


def test_bug_keeps_its_traceback(project):
    status, output = project.kedro("run", "--params=trouble.error=key")

    (record,) = project.records()
    assert status == 1
    assert "Traceback (most recent call last)" in output
    assert "in train\n" in output
    assert record["error"] == r"train: KeyError: 'tag [x]\nis unknown'"


def test_error_in_python_says_where_it_happened(project):
    with pytest.raises(ValueError, match="is unknown") as caught:
        project.run(trouble={"error": "value"})

    (note,) = caught.value.__notes__
    assert note.startswith("train: tag [x] is unknown (traceback in ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--pipeline=trainin"], "Failed to find the pipeline named 'trainin'"),
        (["--from-nodes=trai"], "Pipeline does not contain nodes named ['trai']"),
        (["--load-versions=fusion:2001"], "'load_versions' keys [fusion] are not found"),
        (["--env=nowhere"], "Given configuration path either does not exist"),
    ],
)
def test_wrong_name_gives_one_line(project, arguments, line):
    status, output = project.command("run", *arguments)

    assert status == 1
    assert len(output.splitlines()) == 1
    assert output.startswith(f"Error: {line}")


def test_what_a_dataset_raised_is_said_without_kedros_wrapping():
    full = OSError(errno.ENOSPC, "No space left on device", "x.csv")
    inner = DatasetError("Failed while saving data to dataset CSVDataset(filepath=x.csv).\n...")
    inner.__cause__ = full
    outer = DatasetError("posts: Failed while saving data to dataset ...")
    outer.__cause__ = inner

    assert error_in_one_line(outer) == (
        "x.csv: No space left on device: free some space, or write elsewhere with "
        "--params data=FOLDER"
    )


def test_what_the_system_refuses_to_code_in_rust_is_said_alike(tmp_path, longest_file):
    with pytest.raises(SafetensorError) as caught, longest_file(10_000):
        save_file({"weights": np.zeros(10_000)}, tmp_path / "model.safetensors")

    assert is_expected(caught.value)
    assert error_in_one_line(caught.value) == (
        "File too large: allow larger files, or write elsewhere with --params data=FOLDER"
    )


@pytest.mark.parametrize(
    ("full", "words"),
    [
        (
            torch.OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8 "
                "GiB of which 1 GiB is free. See documentation\nfor Memory Management"
            ),
            "CUDA out of memory. Tried to allocate 2.00 GiB",
        ),
        (
            RuntimeError(
                "MPS backend out of memory (MPS allocated: 17.36 GB). Tried to allocate 192.00 MB "
                "on private pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable upper limit "
                "for memory allocations (may cause system failure)."
            ),
            "MPS backend out of memory (MPS allocated: 17.36 GB). Tried to allocate 192.00 MB on "
            "private pool",
        ),
    ],
)
def test_a_gpu_with_too_little_memory_is_one_line_with_advice(full, words):
    assert is_expected(full)
    assert error_in_one_line(full) == (
        f"{words}: set training.batch_size or compute.prediction_batch_size to less, or end what "
        "else holds the device's memory"
    )
    assert not is_expected(RuntimeError("shapes do not fit"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "x.csv"), "Permission denied"),
        (OSError("Arrow's own words,\nof x.csv"), "Arrow's own words, of x.csv"),
        (EOFError(), "EOFError"),
    ],
)
def test_the_reason_of_an_error_is_in_the_words_of_the_system_if_it_has_any(error, words):
    assert reason(error) == words


def test_a_page_that_cannot_be_read_says_why_without_words_of_the_system(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("the disk hangs")

    monkeypatch.setattr(Path, "read_text", fail)
    page = HtmlPageDataset(filepath=str(tmp_path / "report.html"))
    with pytest.raises(DatasetError, match=r"report\.html cannot be read: the disk hangs"):
        page.load()


def test_what_a_dataset_says_itself_is_kept():
    own = DatasetError("the model in x cannot be read: train again")
    own.__cause__ = KeyError("weights")
    outer = DatasetError("fusion_model: the model in x cannot be read: train again")
    outer.__cause__ = own

    assert error_in_one_line(outer) == "the model in x cannot be read: train again"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("x"), True),
        (FileNotFoundError("x"), True),
        (DatasetError("x"), True),
        (KeyError("x"), False),
        (TypeError("x"), False),
        (RuntimeError("x"), False),
        (CircularDependencyError("of pipelines that do not go together"), True),
    ],
)
def test_errors_about_input_are_told_from_bugs(error, expected):
    assert is_expected(error) is expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (59.4, "59.4 s"),
        (60, "1 min 0 s"),
        (119.6, "2 min 0 s"),
        (7325, "2 h 2 min"),
    ],
)
def test_durations_are_said_as_one_would(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("share", "digits", "words"),
    [
        (0, 0, "0%"),
        (1 / 300, 0, "0.3%"),
        (0.004, 0, "0.4%"),
        (0.006, 0, "1%"),
        (0.5, 0, "50%"),
        (0.994, 0, "99%"),
        (299 / 300, 0, "99.7%"),
        (1 - 1 / 30_000, 0, "99.997%"),
        (1, 0, "100%"),
        (0, 1, "0.0%"),
        (1e-12, 1, "<0.001%"),
        (0.0004, 1, "0.04%"),
        (0.8125, 1, "81.2%"),
        (0.996, 1, "99.6%"),
        (0.9997, 1, "99.97%"),
        (1 - 1e-12, 1, ">99.999%"),
        (1, 1, "100.0%"),
    ],
)
def test_what_is_nearly_all_or_none_is_not_said_to_be(share, digits, words):
    assert rounded_percent(share, digits) == words


@pytest.mark.parametrize(
    ("share", "digits", "words"),
    [
        (0.89995, 1, "89.9%"),
        (0.9, 1, "90.0%"),
        (0.29, 0, "29%"),  # 100 times it is less than 29
        (0.987, 0, "98%"),
        (0.9997, 1, "99.97%"),
        (0.9999999, 1, ">99.999%"),
        (0.0004, 1, "0.04%"),
        (0.0006, 1, "0.1%"),
        (np.float32(0.9), 1, "89.9%"),  # it is below
        (0, 1, "0.0%"),
        (1, 0, "100%"),
    ],
)
def test_a_confidence_is_rounded_down(share, digits, words):
    assert floored_percent(share, digits) == words


def test_numbers_are_said_as_one_would():
    numbers = (0.12345, 45.67, 99.96, 1024, 3_456_789.5)
    assert [rounded_number(number) for number in numbers] == [
        "0.123", "45.7", "100", "1,024", "3,456,790"
    ]  # fmt: skip


def test_a_chosen_share_is_not_rounded():
    assert [exact_percent(share) for share in (0.57, 0.9, 0.975, 0.995)] == [
        "57%", "90%", "97.5%", "99.5%"
    ]  # fmt: skip


def test_no_answer_below_a_limit_of_confidence_is_said_to_reach_it():
    limits = (0.56, 0.7, 0.70041, 0.9997, 0.99996, 1.0)
    words = ["0.560", "0.700", "0.701", "0.9997", "0.99996", "1.000"]
    assert [least_confidence(limit) for limit in limits] == words


def test_interrupt_after_a_run_has_ended_does_not_say_that_nothing_is_written(
    project, monkeypatch, caplog
):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr("multimodal_sentiment.runs.tracking.track_run", interrupt)
    status, output = project.command("run", "--pipeline=training")

    assert (status, output) == (130, "")
    assert caplog.messages[-1].endswith("(training) is complete; MLflow may not know all of it")
    assert project.records()[-1]["outcome"] == "completed"
