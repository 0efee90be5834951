"""Parameters are checked as a whole, by whatever reads them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
from kedro.framework.project import configure_project
from pydantic import BaseModel

from multimodal_sentiment.config_loader import CheckedConfigLoader, check_parameters
from multimodal_sentiment.layouts import LAYOUTS
from multimodal_sentiment.parameters import Parameters, vary

from ..commands import kedro

REPOSITORY = Path(__file__).parents[2]


def load(conf: Path = REPOSITORY / "conf", **runtime: Any) -> dict[str, Any]:
    loader = CheckedConfigLoader(
        str(conf),
        base_env="base",
        default_run_env="base",
        runtime_params=runtime,
        merge_strategy={"parameters": "soft"},
    )
    return loader["parameters"]


def faults(**runtime: Any) -> list[str]:
    with pytest.raises(click.ClickException) as caught:
        load(**runtime)
    return caught.value.message.splitlines()


def test_parameters_of_every_environment_are_accepted():
    for env in (path.name for path in (REPOSITORY / "conf").iterdir() if path.is_dir()):
        loader = CheckedConfigLoader(
            str(REPOSITORY / "conf"),
            env=env,
            base_env="base",
            merge_strategy={"parameters": "soft"},
        )
        assert loader["parameters"]["training"]["epochs"] > 0


@pytest.mark.parametrize(
    ("runtime", "fault"),
    [
        (
            {"training": {"epoch": 1}},
            "unknown parameter training.epoch: did you mean training.epochs?",
        ),
        ({"trainin": {"epochs": 1}}, "unknown parameter trainin: did you mean training?"),
        (
            {"training": {"learning_rate": {"txt": 1}}},
            "unknown parameter training.learning_rate.txt: "
            "did you mean training.learning_rate.text?",
        ),
        ({"epochs": 1}, "unknown parameter epochs: did you mean training.epochs?"),
        (
            {"comparison": {"variants": {"both": {"model": {"modalit": "text"}}}}},
            "unknown parameter comparison.variants.both.model.modalit: "
            "did you mean comparison.variants.both.model.modality?",
        ),
        (
            {"splitting": {"zzz": 1}},
            "unknown parameter splitting.zzz: "
            "choose of splitting.validation_fraction, splitting.seed",
        ),
    ],
)
def test_unknown_parameter_is_refused_at_every_level(runtime, fault):
    assert faults(**runtime) == [fault]


@pytest.mark.parametrize(
    ("runtime", "fault"),
    [
        ({"training": {"epochs": "many"}}, "training.epochs: must be a valid integer, not 'many'"),
        ({"training": {"epochs": 0}}, "training.epochs: must be greater than or equal to 1, not 0"),
        (
            {"model": {"modality": "smell"}},
            "model.modality: must be 'text', 'image' or 'both', not 'smell'",
        ),
        ({"data": None}, "data: must be a valid string, not None"),
        (
            {"comparison": {"variants": {"both": {"training": {"epochs": 0}}}}},
            "comparison.variants.both.training.epochs: must be greater than or equal to 1, not 0",
        ),
        (
            {"comparison": {"variants": {"x": {"model": {"text": {"scratch": {"heads": 3}}}}}}},
            "comparison.variants.x.model.text.scratch: "
            "hidden_size (128) must be a multiple of heads (3)",
        ),
        (
            {"comparison": {"pairs": [["both", "txt"]]}},
            "comparison: pairs name 'txt': choose of text, image, both",
        ),
        (
            {"comparison": {"pairs": [["both", "both"]]}},
            "comparison: pairs compare 'both' with itself: name two variants",
        ),
        (
            {"comparison": {"variants": {"tfidf": {}}}},
            "comparison: variants may not be named 'tfidf': a baseline is",
        ),
        (
            {"comparison": {"variants": dict.fromkeys(["text", "image", "both"])}},
            "comparison: variants are all left out: keep one at least",
        ),
        (
            {"model": {"text": {"scratch": {"hidden_size": 128, "heads": 3}}}},
            "model.text.scratch: hidden_size (128) must be a multiple of heads (3)",
        ),
        (
            {"ingestion": {"labels": ["a"]}},
            "ingestion.labels: must have at least 2 items, not ['a']",
        ),
        (
            {"reporting": {"data_name": ""}},
            "reporting.data_name: must have at least 1 character, not ''",
        ),
    ],
)
def test_wrong_value_is_refused(runtime, fault):
    assert faults(**runtime) == [fault]


@pytest.mark.parametrize("name", ["data", "model_folder", "corrections"])
def test_what_lies_on_this_machine_only_is_no_address_and_has_no_tilde(name):
    assert faults(**{name: "s3://bucket/x"}) == [
        f"{name}: s3://bucket/x is an address, as only raw may be: name a place on this machine"
    ]
    assert faults(**{name: "~/x"}) == [
        f"{name}: ~/x is not expanded in a file: write the whole path"
    ]
    assert load(raw="s3://bucket/x")["raw"] == "s3://bucket/x"


@pytest.mark.fault("run", "a place from a variable that is not set, as data=$OUT", "one line")
@pytest.mark.parametrize("name", ["raw", "data", "model_folder", "corrections"])
def test_a_place_is_not_empty(name):
    for empty in ("", " "):
        assert faults(**{name: empty}) == [f"{name}: is empty: name a place, or leave it out"]


def test_null_switches_off_what_the_configuration_names(tmp_path):
    conf = shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    (conf / "base" / "globals.yml").write_text(
        "raw: posts\ndata: data\ncorrections: tags.csv\nmodel_folder: model\n"
    )

    for name in ("model_folder", "corrections"):
        assert load(conf)[name]
        assert load(conf, **{name: None})[name] is None


@pytest.mark.fault("run", "a repository below a folder whose name means another", "one line")
def test_a_configuration_that_is_not_found_by_its_name(tmp_path):
    conf = shutil.copytree(REPOSITORY / "conf", tmp_path / "a[1]" / "conf")

    with pytest.raises(click.ClickException) as caught:
        load(conf)
    assert caught.value.message == f"{conf} holds one of * ? [ ] {{ }}: choose another folder"


def test_a_variant_changes_what_it_names_and_leaves_the_rest():
    given = load(comparison={"variants": {"wide": {"model": {"fusion": {"hidden_size": 99}}}}})
    parameters = Parameters.model_validate(given)
    varied = vary(parameters.model, parameters.training, parameters.comparison.variants["wide"])

    expected = {**given["model"], "fusion": {**given["model"]["fusion"], "hidden_size": 99}}
    assert varied.model.model_dump() == expected
    assert varied.training == parameters.training


def test_the_comment_on_layouts_names_them_all():
    text = (REPOSITORY / "conf/base/parameters_ingestion.yml").read_text(encoding="utf-8")
    (named,) = re.findall(r"how the posts lie: ([^;]+);", text)

    assert set(re.findall(r"\w+", named)) == set(LAYOUTS)


def test_labels_keep_the_kind_that_yaml_gives_them():
    labels = [True, False, 0, 1.5, "sad"]
    parameters = Parameters.model_validate(load(ingestion={"labels": labels}))

    assert [(type(label), label) for label in parameters.ingestion.labels] == [
        (type(label), label) for label in labels
    ]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a"], "at least 2"),
        (["a", "a"], "must differ"),
        (["a", " b"], "not begin or end with spaces"),
    ],
)
def test_labels_must_differ(labels, words):
    (fault,) = faults(ingestion={"labels": labels})
    assert fault.startswith("ingestion")
    assert words in fault


def test_all_faults_are_listed():
    lines = faults(training={"epochs": 0, "patience": "x"}, trainin=1)

    assert len(lines) == 3


def test_names_below_a_free_form_parameter_are_checked_too():
    class Variant(BaseModel, extra="forbid"):
        epochs: int

    class Free(BaseModel):
        variants: dict[str, Variant]

    assert check_parameters({"variants": {"a": {"epochs": 1, "zzz": 2}}}, Free) == [
        "unknown parameter variants.a.zzz"
    ]


def test_missing_parameter_is_named(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "parameters.yml").write_text("raw: a\ndata: b\n")

    with pytest.raises(click.ClickException, match="training: has no value"):
        load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "training: [1, 2",
        "training: !!python/object/apply:os.system [touch escaped]",
        "training: ${nothing.here}",
    ],
)
def test_broken_or_hostile_yaml_gives_one_line_and_runs_nothing(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    base = tmp_path / "base"
    base.mkdir()
    (base / "parameters.yml").write_text(text)

    with pytest.raises(click.ClickException) as caught:
        load(tmp_path)

    assert caught.value.message.startswith("parameters: ")
    assert len(caught.value.message.splitlines()) == 1
    assert not (tmp_path / "escaped").exists()


def test_viz_checks_parameters_too():
    from kedro_viz.integrations.kedro.data_loader import load_data

    configure_project("multimodal_sentiment")
    with pytest.raises(click.ClickException, match="did you mean training"):
        load_data(REPOSITORY, extra_params={"training": {"epoch": 1}})


def test_command_line_gets_one_line(project):
    status, output = project.kedro("run", "--params=trainin.epochs=2", cwd=REPOSITORY)

    assert status == 1
    assert output == "Error: unknown parameter trainin: did you mean training?\n"


@pytest.mark.fault("run", "an environment that is not there", "one line: which are there")
@pytest.mark.parametrize(
    ("env", "meant"),
    [
        ("pretraind", "did you mean pretrained?"),
        ("production", "choose of base, local, pretrained"),
    ],
)
def test_an_environment_that_is_not_there_is_told_with_those_that_are(tmp_path, env, meant):
    for name in ("base", "local", "pretrained"):
        (tmp_path / name).mkdir()

    with pytest.raises(click.ClickException) as caught:
        CheckedConfigLoader(str(tmp_path), env=env, base_env="base", default_run_env="local")[
            "parameters"
        ]

    assert caught.value.message == (
        f"--env={env}, or KEDRO_ENV: there is no such environment: {meant}"
    )


@pytest.mark.parametrize(
    ("given", "environment"),
    [
        (["run", "--env=pretraind"], {}),
        (["run"], {"KEDRO_ENV": "pretraind"}),
        (["prune", "--keep=1", "--env=pretraind"], {}),
    ],
)
def test_a_command_says_it_in_one_line(given, environment):
    done = kedro(*given, environment=environment)

    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if "pretraind" in line]
    assert line.startswith("Error: --env=pretraind, or KEDRO_ENV: there is no such environment")
    assert "Traceback" not in done.stderr
