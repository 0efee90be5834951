"""Parameters as they are written after `--params`."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
import yaml

from multimodal_sentiment.commands import MODULE
from multimodal_sentiment.config_loader import check_parameters
from multimodal_sentiment.kedro_run import run
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.runs.runtime_parameters import read_params

CONTEXT = click.Context(click.Command("run"))


def read(*given: str) -> dict:
    return read_params(CONTEXT, click.Option(["--params"]), given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("raw=2024_05,data=07", {"raw": "2024_05", "data": "07"}),
        ("raw=1e3,data=true", {"raw": "1e3", "data": "true"}),
        ("raw=a,b,data=c", {"raw": "a,b", "data": "c"}),
        ("raw=a,modality,model:b", {"raw": "a,modality,model:b"}),
        ('raw="a,model.modality"', {"raw": "a,model.modality"}),
        ("raw={2024},data=[x]", {"raw": "{2024}", "data": "[x]"}),
        ("data=bob's,raw=tim's", {"data": "bob's", "raw": "tim's"}),
        ('raw="a,data=3",data=c', {"raw": "a,data=3", "data": "c"}),
        ("data=a=b", {"data": "a=b"}),
        (
            "data=c,training.a-b.c=image",
            {"data": "c", "training": {"a-b": {"c": "image"}}},
        ),
        ("model_folder=null", {"model_folder": None}),
        ("reporting.data_name=Tweets #1", {"reporting": {"data_name": "Tweets #1"}}),
        ("reporting.data_name=2024_05", {"reporting": {"data_name": "2024_05"}}),
        ("encoders.endpoint=http://hub #1", {"encoders": {"endpoint": "http://hub #1"}}),
        ("model.text.encoder=null", {"model": {"text": {"encoder": None}}}),
        ("ingestion.labels=[sad,happy]", {"ingestion": {"labels": ["sad", "happy"]}}),
        (
            "ingestion.labels=[sad, happy],data=c",
            {"ingestion": {"labels": ["sad", "happy"]}, "data": "c"},
        ),
        ("ingestion.labels=[yes,no]", {"ingestion": {"labels": [True, False]}}),
        ("ingestion.labels=[0,1]", {"ingestion": {"labels": [0, 1]}}),
        ("ingestion.labels=['a,b=c', d]", {"ingestion": {"labels": ["a,b=c", "d"]}}),
        (
            "comparison.variants={x: {model: {modality: text}}, y: null},data=c",
            {
                "comparison": {"variants": {"x": {"model": {"modality": "text"}}, "y": None}},
                "data": "c",
            },
        ),
        (
            "training.epochs=3,training.learning_rate.heads=1e-4,",
            {"training": {"epochs": 3, "learning_rate": {"heads": 1e-4}}},
        ),
        ("", {}),
    ],
)
def test_values_are_read_as_the_parameter_takes_them(given, expected):
    assert read(given) == expected


def test_the_home_folder_is_written_out_for_places_only():
    assert read("raw=~/posts") == {"raw": str(Path.home() / "posts")}
    assert read("corrections=~/c.csv") == {"corrections": str(Path.home() / "c.csv")}
    assert read("model.text.encoder=~/bert") == {"model": {"text": {"encoder": "~/bert"}}}


def test_all_that_is_given_counts():
    assert read("raw=a,training.epochs=3", "training.seed=1", "raw=a") == {
        "raw": "a",
        "training": {"epochs": 3, "seed": 1},
    }


def test_what_a_configuration_file_holds_is_taken_as_it_is():
    assert read_params(CONTEXT, None, {"raw": 1}) == {"raw": 1}


@pytest.mark.parametrize("params", [{"data": "my data"}, "data=my data"])
def test_a_command_reads_a_configuration_file_or_all_options(project, params):
    (project.path / "run.yml").write_text(yaml.safe_dump({"run": {"params": params}}))
    several = ["--params", "data=other", "--params", "trouble.ballast=3"]

    for given in (["--config=run.yml"], several):
        status, said = project.command("run", "--pipeline=training", *given)
        assert status == 0, said

    assert (project.path / "my data/06_models").exists()
    (model,) = (project.path / "other/06_models").rglob("*/fusion_model.json")
    assert '"xxx"' in model.read_text()


@pytest.mark.parametrize("name", ["run", MODULE])
def test_a_configuration_file_is_read_whatever_the_command_is_called(tmp_path, name):
    (tmp_path / "run.yml").write_text("run: {pipeline: training}")

    context = run.make_context(name, [f"--config={tmp_path / 'run.yml'}"])

    assert (context.params["pipeline"], context.info_name) == ("training", name)


@pytest.mark.fault("run", "a file for --config that holds no options", "one line")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("params: {}", "has no options in a section run"),
        ("[1]", "has no options in a section run"),
        ("run:", "has no options in a section run"),
        ("run: [1", "cannot be read: "),
    ],
)
def test_a_configuration_file_without_options_is_one_line(tmp_path, content, words):
    (tmp_path / "run.yml").write_text(content)

    with pytest.raises(click.ClickException) as caught:
        run.make_context("run", [f"--config={tmp_path / 'run.yml'}"])
    assert words in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.fault("run", "parameters that cannot be read", "one line that says how to write them")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("epochs", "'epochs' has no key and value: write KEY=VALUE,KEY=VALUE"),
        ("=3", "'=3' has no key and value"),
        ("training.epochs=[1", "training.epochs=[1 cannot be read"),
        ("raw=a,raw.b=c", "raw.b lies within raw, which has a value already"),
        ("raw=a,data=b,raw=c", "raw has two values, a and c"),
        (
            "raw=t.csv,data=/tmp/o,model.modality",
            "data=/tmp/o,model.modality names the parameter model.modality, without a value: write "
            "model.modality=VALUE, or put quotes around the value of data",
        ),
        ("data=o,model.modality:text,training.seed=1", "names the parameter model.modality"),
        ("raw=t.csv, data : o", "names the parameter data, without a value: write data=VALUE"),
        ("training.epochs=3,data:o", "training.epochs=3,data:o names the parameter data"),
    ],
)
def test_what_cannot_be_read_is_one_line(given, words):
    with pytest.raises(click.UsageError) as caught:
        read(given)
    assert words in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.fault("run", "a value of another kind", "one line that says how it is written")
@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (
            "training.learning_rate=1e-4",
            "training.learning_rate: has parts, and no value of its own: set "
            "training.learning_rate.text, training.learning_rate.image, "
            "training.learning_rate.heads",
        ),
        (
            "ingestion.labels=sad,happy",
            "ingestion.labels: must be a valid list, not 'sad,happy': write [sad,happy]",
        ),
    ],
)
def test_a_value_of_another_kind_is_told_how_it_is_written(settings, given, fault):
    (group, values), *_ = read(given).items()
    changed = settings | {group: {**settings[group], **values}}
    assert check_parameters(changed, Parameters) == [fault]


def test_a_number_in_a_file_is_told_to_be_quoted(settings):
    assert check_parameters(settings | {"raw": 202405}, Parameters) == [
        "raw: must be a valid string, not 202405: put quotes around it, if that is how YAML has "
        "read it"
    ]
