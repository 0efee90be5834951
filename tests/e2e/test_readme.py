"""What README and the pages of `docs` tell people to type, and where their links lead."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from multimodal_sentiment import train
from multimodal_sentiment.cli import cli
from multimodal_sentiment.layouts.tables.columns import NAMES
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipeline_registry import register_pipelines
from multimodal_sentiment.service.limits import Limits

from ..commands import PROJECT, Project

PAGES = {
    path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8")
    for path in [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
}
README = PAGES["README.md"]

# The file that runs each, with names and folders of its own.
TRIED_ELSEWHERE = {
    "kedro viz run": "tests/e2e/test_browser.py",
    "kedro viz build --include-previews": "tests/e2e/test_browser.py",
    "kedro prune --keep 3": "tests/runs/test_pruning.py",
    "kedro promote": "tests/runs/test_promotion.py",
    "kedro promote VERSION": "tests/runs/test_promotion.py",
    "kedro promote --back": "tests/runs/test_promotion.py",
    "kedro serve": "tests/service/test_command.py",
    "kedro server start": "tests/runs/test_two_runs.py",
    "kedro export FOLDER": "tests/e2e/test_using.py",
    "kedro jupyter lab notebooks/look_around.ipynb": "tests/e2e/test_notebook.py",
    "kedro export FOLDER --int8": "tests/e2e/test_using.py",
    "kedro push OWNER/NAME": "tests/e2e/test_using.py",
    "kedro package": "tests/test_packaging.py",
    "kedro sample FOLDER": "tests/e2e/test_commands.py",
    "kedro sample FOLDER --noise": "tests/e2e/test_commands.py",
    "MLFLOW_TRACKING_URI=http://127.0.0.1:5000 kedro run --pipeline=training": (
        "tests/runs/test_tracking.py"
    ),
    "RAY_ADDRESS=10.0.0.5:6379 kedro run --params cluster.workers=40,cluster.cpus_per_worker=2": (
        "tests/cluster/test_nodes.py"
    ),
    """cp -r "$(python -c 'import multimodal_sentiment as m; print(m.__path__[0])')/conf" .""": (
        "tests/test_packaging.py"
    ),
    ".ci/run": ".ci/run",
    "lint-imports": ".ci/run",
}


TEST_LINE = "OMP_NUM_THREADS=1 .venv/bin/pytest"


def prose(page: str) -> str:
    """The page without its blocks of code."""
    return re.sub(r"```.*?```", "", page, flags=re.DOTALL)


def commands() -> list[str]:
    text = "\n".join(PAGES.values())
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [part for block in blocks for line in block.splitlines() for part in line.split(" && ")]
    outside = prose(text)
    spans = re.findall(r"`((?:kedro|lint-imports|\.ci/run)[^`]*)`", outside)
    return sorted({line.removeprefix(".venv/bin/").strip() for line in lines + spans} - {""})


def keys(tree: dict, prefix: str = "") -> set[str]:
    found = set()
    for key, value in tree.items():
        found |= {prefix + key} | (
            keys(value, f"{prefix}{key}.") if isinstance(value, dict) else set()
        )
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_one_that_works(command, settings):
    if command.startswith((TEST_LINE, "python3 -m venv", "pip install", ". .venv")):
        return  # what .ci/run does, in a fresh environment
    if command.startswith("kedro viz run --params"):  # as for a run
        words = shlex.split(command)[3:]
    elif command.startswith("kedro run"):
        words = shlex.split(command, comments=True)[2:]
    else:
        assert command in TRIED_ELSEWHERE
        return
    known = keys(settings)
    while words:
        option, _, value = words.pop(0).partition("=")
        value = value or words.pop(0)
        if option == "--pipeline":
            assert value == "STEP" or value in register_pipelines()
        elif option == "--params":
            assert {pair.partition("=")[0] for pair in value.split(",")} <= known
        elif option == "--env":
            assert (PROJECT / "conf" / value).is_dir()
        else:
            assert option == "--load-versions"


def test_what_is_tried_elsewhere_is_typed_and_tried():
    assert TRIED_ELSEWHERE.keys() <= set(commands())
    for path in TRIED_ELSEWHERE.values():
        assert (PROJECT / path).is_file(), path


def anchors(page: str) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def links(name: str) -> list[str]:
    """Where a page leads within the project, from its top and perhaps with an anchor."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(PAGES[name]))
    return [urljoin(name, target) for target in targets if "://" not in target]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name):
    for target in links(name):
        path, _, anchor = target.partition("#")
        assert (PROJECT / path).is_file(), target
        assert not anchor or anchor in anchors(PAGES[path]), target


def test_readme_leads_to_every_page():
    linked = {target.partition("#")[0] for target in links("README.md")}

    assert PAGES.keys() - linked == {"README.md"}


def test_the_table_of_commands_names_every_pipeline_and_no_other():
    table = [line for line in README.splitlines() if line.startswith("| `kedro run --pipeline=")]
    (steps,) = [row for row in table if "--pipeline=STEP" in row]
    journeys = re.findall(r"--pipeline=(\w+)", "\n".join({*table} - {steps}))

    named = {"__default__", *journeys, *re.findall(r"`(\w+)`", steps)}
    assert named == set(register_pipelines())


def test_the_table_names_every_parameter_and_no_other(settings):
    named = set()
    for row in re.findall(r"^\| (`.*?) \|", PAGES["docs/parameters.md"], re.MULTILINE):
        last = ""
        for name in re.findall(r"`([\w.]+)`", row):
            last = f"{last.rpartition('.')[0]}{name}" if name.startswith(".") else name
            named.add(last)

    assert named <= keys(settings)
    alone = {
        key for key in keys(settings) if not any(k.startswith(f"{key}.") for k in keys(settings))
    }
    groups = tuple(f"{name}." for name in named)
    assert {key for key in alone - named if not key.startswith(groups)} == set()
    assert Parameters.model_validate(settings)


@pytest.mark.parametrize("name", PAGES)
def test_parameters_that_a_page_names_are_there(name, settings):
    known = keys(settings)
    groups = {key.partition(".")[0] for key in known if "." in key}
    spans = re.findall(r"`([^`\n]+)`", prose(PAGES[name]))
    dotted = re.findall(r"(?<![\w./*-])([a-z_]+(?:\.\w+)+)", "\n".join(spans))
    named = {key for key in dotted if key.partition(".")[0] in groups and key[-3:] != ".py"}

    assert named - known == set()


def test_the_limits_of_the_service_are_its_defaults():
    rows = re.findall(r"^\| (`--.*?) \| (.*?) \|", PAGES["docs/service.md"], re.MULTILINE)
    told = {
        option: default.removesuffix(" s")
        for options, defaults in rows
        for option, default in zip(
            re.findall(r"`--([\w-]+)`", options), defaults.split(", "), strict=True
        )
    }
    options = {option.name: option.default for option in cli.commands["serve"].params}

    assert told.pop("threads") == "one a core"
    assert Limits().threads is None
    limits = {name for name in asdict(Limits()) if name != "threads"}
    assert told == {name.replace("_", "-"): f"{options[name]:g}" for name in limits}


def test_the_names_of_columns_are_those_that_are_recognised():
    page = PAGES["docs/your-posts.md"].split("## Tables")[1]
    rows = re.findall(r"^\| `(\w+)` \| (`.*`) \|$", page, re.MULTILINE)
    listed = {
        role: tuple(name.replace("_", "") for name in re.findall(r"`(\w+)`", names))
        for role, names in rows
    }

    assert listed == NAMES


def test_messages_in_the_table_of_troubles_are_ones_that_appear():
    source = "".join(path.read_text("utf-8") for path in (PROJECT / "src").rglob("*.py"))
    said = re.sub(r'"\s*f?"', "", source)  # strings that go on in the next line
    said = re.sub(r"\{[^{}]*\}", "...", said)

    messages = re.findall(r"^\| `(.*?)` \|", PAGES["docs/troubles.md"], re.MULTILINE)
    assert len(messages) > 5
    for message in set(messages) - {"No space left on device"}:  # the system's own
        parts = [
            part.strip(" :`.") for part in re.split(r"\.\.\.|fusion_model|/train.txt|Run", message)
        ]
        assert all(part in said for part in parts), message


def test_the_house_is_as_drawn():
    house = README.split("## The house")[1].split("```")[1]
    source = PROJECT / "src" / "multimodal_sentiment"
    drawn = re.findall(r"^  ([\w./, ]+?)  +\S", house, re.MULTILINE)
    drawn = {name.rstrip("/") for names in drawn for name in names.split(", ")}
    assert drawn == {path.name for path in source.iterdir() if path.name[0] not in "._"}
    named = set(re.findall(r"`([\w/]+(?:\.(?:py|html|md|yml)|/))`", PAGES["docs/house.md"]))
    assert len(named) > 80
    for name in named:
        assert (source / name).exists() or (PROJECT / name).exists(), name


def test_the_lines_of_python_answer(trained_project: Project, monkeypatch, capsys):
    _, code, explaining = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    photo = min((trained_project.path / "data" / "01_raw" / "data").glob("*.jpg"))
    monkeypatch.chdir(trained_project.path)

    names: dict[str, Any] = {}
    exec(code.replace("1.jpg", photo.name), names)  # noqa: S102 - our own README

    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == "predicted confidence problems decided_by".split()
    assert [row.split()[0] for row in rows] == ["0", "1"]
    assert Path("data").is_dir()

    exec(explaining.replace("1.jpg", photo.name), names)  # noqa: S102 - the same

    answer, *weights = capsys.readouterr().out.splitlines()
    assert answer.split()[0] in ("negative", "neutral", "positive")
    assert [line.rpartition(" ")[0] for line in weights] == ["What", "a", "day!"]


def test_the_lines_of_python_that_train_name_what_there_is():
    """`notebooks/train_on_a_frame.ipynb` runs such lines."""
    code, _, _ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    (call,) = [node for node in calls if isinstance(node.func, ast.Name)]

    inspect.signature(train).bind(*call.args, **{key.arg: key.value for key in call.keywords})
