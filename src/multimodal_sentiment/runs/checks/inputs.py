"""Which version of each input a run reads, and how to get one that is not there."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import DatasetError

from multimodal_sentiment.commands import run_command
from multimodal_sentiment.datasets.model_folder import ModelDataset
from multimodal_sentiment.datasets.promotion import answering_version, promoted_version

from ..closing_summary import METRICS, MODEL
from ..flags import all_flags
from ..kedro_adapter import Dataset, is_versioned, location, pin, place_in_words
from ..records import read_record
from ..versions import INCOMPLETE, fault_of, version_fault, versions_of
from .posts import LABELLED, UNLABELLED

if TYPE_CHECKING:
    from kedro.io import DataCatalog

logger = logging.getLogger(__name__)

_EXAMPLES = "labelled.examples"
# Each is read as the run that wrote the other had it, so that no model is described by the numbers
# of another; the other one comes first.
_OF_THE_SAME_RUN = {
    "validation_predictions": METRICS,
    "train_posts": METRICS,
    _EXAMPLES: METRICS,
    "labelled.ingestion_report": _EXAMPLES,
    "training_history": MODEL,
}

# Pipelines that start from the user's own files.
_WHOLE = ("reading", "training", "comparison", "search", "inference")


def pin_faults(
    pins: Mapping[str, str], inputs: Mapping[str, Dataset], written: Iterable[str]
) -> list[str]:
    """Find the pinned versions that Kedro would silently ignore."""
    faults = []
    for name in pins:
        if name in written:
            faults.append(f"--load-versions {name}: this run writes it, and reads what it wrote")
        elif name not in inputs:
            choice = ", ".join(name for name, dataset in inputs.items() if is_versioned(dataset))
            faults.append(f"--load-versions {name}: this run does not read it: choose of {choice}")
        elif not is_versioned(inputs[name]):
            faults.append(f"--load-versions {name}: it has no versions")
    return faults


def pin_inputs(
    data: Path, inputs: Mapping[str, Any], catalog: DataCatalog, request: Mapping[str, Any]
) -> tuple[dict[str, str | None], list[str]]:
    """Pin each input to one version: that asked for, or of the same run, or that answers.

    What looks at one place on the disk is read in one version.

    Args:
        data: The data folder, which holds the records of runs.
        inputs: The stored datasets that the run reads, by name.
        catalog: The catalog.
        request: The run that Kedro was asked for.

    Returns:
        The version of each input, None where it has none; and what is wrong with inputs.
    """
    pins = request["load_versions"] or {}
    asked = {location(inputs[name]): version for name, version in pins.items()}
    reads = dict.fromkeys(inputs) | _settle_models(inputs)
    faults: dict[str, str] = {}  # by what is wrong: two listings of one table have the same
    missing: list[str] = []
    chosen: dict[Path, str | None] = {}  # by place; None where there is none to read
    order = {name: number for number, name in enumerate(_OF_THE_SAME_RUN)}
    for name in sorted(inputs, key=lambda name: order.get(name, -1)):
        dataset = inputs[name]
        if not is_versioned(dataset):
            fault = fault_of(dataset)
            if fault == INCOMPLETE:
                missing.append(name)
            elif fault:
                faults.setdefault(fault, f"{name}: {place_in_words(dataset)} {fault}")
            continue
        place = location(dataset)
        if place not in chosen:
            chosen[place] = None
            try:
                version = _choose_version(data, name, dataset, asked.get(place), reads)
            except ValueError as error:
                faults[name] = f"{name}: {error}"
                continue
            if version is None and not getattr(dataset, "is_optional", False):
                missing.append(name)
            elif version and (fault := version_fault(name, dataset, version)):
                faults[name] = fault
            else:
                chosen[place] = version
        elif chosen[place]:
            pin(dataset, chosen[place])
        reads[name] = chosen[place]
    return reads, [*faults.values(), *_missing_faults(missing, inputs, catalog, request)]


def _choose_version(
    data: Path, name: str, dataset: Any, asked: str | None, reads: Mapping[str, str | None]
) -> str | None:
    """Return the version that is asked for, or belongs to what else is read, or answers.

    Raises:
        ValueError: If the promoted version is not there any more.
    """
    other = _OF_THE_SAME_RUN.get(name, "")
    record = read_record(data, version) if (version := reads.get(other)) else None
    same = {**record.reads, **record.writes}.get(name) if record else None
    versions = versions_of(dataset)
    goes = f"{other} {version} goes with"
    if asked:
        if same not in (None, asked):
            logger.warning(
                "%s: version %s is read, as asked for, although %s %s", name, asked, goes, same
            )
        return asked
    if same in versions:
        if same != versions[0]:
            logger.info("%s: version %s, which %s", name, same, goes)
        return same
    if same:
        logger.warning(
            "%s: version %s, which %s, is no longer there: what another version says is not of "
            "that run",
            *(name, same, goes),
        )
    answers = answering_version(location(dataset))
    if answers and answers == promoted_version(location(dataset)):
        logger.info("%s: version %s, which is promoted", name, answers)
    return answers


def _settle_models(inputs: Mapping[str, Any]) -> dict[str, str | None]:
    """Have all that loads from the folder that model_folder names keep to one model.

    Returns:
        Its version, if it has one, for each of these.
    """
    models = {name: it for name, it in inputs.items() if isinstance(it, ModelDataset)}
    first = next(iter(models.values()), None)
    try:
        return {name: dataset.settle(first) for name, dataset in models.items()}
    except DatasetError:  # to be found, and said, as of any dataset
        return {}


def _missing_faults(
    missing: list[str], inputs: Iterable[str], catalog: DataCatalog, request: Mapping[str, Any]
) -> list[str]:
    """Say what to do about inputs that are not there, a line each.

    Args:
        missing: The names of these.
        inputs: The names of all inputs of the run.
        catalog: The catalog.
        request: The run that Kedro was asked for.
    """
    faults = []
    for name in missing:
        place = place_in_words(catalog[name])
        if writer := _find_writer(name, {*missing}, {*inputs}):
            command = f"{run_command()} --pipeline={writer}"
            advice = f'run "{command}{all_flags(request)}" first'
            if name == MODEL and "raw" in request["runtime_params"]:  # perhaps posts without tags
                tagged = all_flags(request, {"raw": "TAGGED_POSTS"})
                advice = f'train one first, on posts with tags: "{command}{tagged}"'
            if name == MODEL and "model_folder" in catalog["parameters"].load():
                advice = f"name a trained model with --params model_folder=FOLDER, or {advice}"
            faults.append(f"{name}: no version yet in {place}: {advice}")
        else:
            kind = "file" if os.path.splitext(place)[1] else "folder"
            advice = "put it there, or name the folder it is in with --params raw=FOLDER"
            if name == UNLABELLED and LABELLED in {*inputs} - {*missing}:
                training = f"{run_command()} --pipeline=training{all_flags(request)}"
                advice += f', or only train, with "{training}"'
            faults.append(f"{name}: no {kind} {place}: {advice}")
    return faults


def _find_writer(name: str, missing: set[str], inputs: set[str]) -> str | None:
    """Return the pipeline that is advised for a dataset: one that needs nothing else, if it can be.

    Of several it is the one that writes most of what is missing, and of these the one that reads
    most of what the run reads, as it does what the run is to do, too; None if none writes it.
    """
    from kedro.framework.project import pipelines

    def rank(label: str) -> tuple[bool, int, int, int]:
        pipeline = pipelines[label]
        written = len(missing & pipeline.all_outputs())
        read = len(inputs & pipeline.all_inputs())
        return label not in _WHOLE, -written, -read, len(pipeline.nodes)

    writers = [
        label
        for label, pipeline in pipelines.items()
        if label != "__default__" and name in pipeline.all_outputs()
    ]
    return min(writers, key=rank, default=None)
