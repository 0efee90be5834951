"""Says before the first node how to get the inputs of a run that are not there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.commands import run_command

from ..closing_summary import MODEL
from ..flags import all_flags
from ..kedro_adapter import place_in_words, stored_datasets
from ..versions import fault_of
from .posts import LABELLED, UNLABELLED

if TYPE_CHECKING:
    from kedro.io import DataCatalog


def missing_faults(
    missing: list[str], inputs: Iterable[str], catalog: DataCatalog, request: Mapping[str, Any]
) -> list[str]:
    """Say what to do about inputs that are not there, a line each.

    Args:
        missing: The names of these.
        inputs: The names of all inputs of the run.
        catalog: The catalog.
        request: The run that Kedro was asked for.
    """
    writers = _find_writers(set(missing), catalog) if missing else {}
    faults = []
    for name in missing:
        place = place_in_words(catalog[name])
        if name in writers:
            ways = []
            if name == MODEL and "model_folder" in catalog["parameters"].load():
                ways.append("name a trained model with --params model_folder=FOLDER")
            command = f"{run_command()} --pipeline={writers[name]}"
            if not ways or _can_start(writers[name], catalog):
                ways.append(f'run "{command}{all_flags(request)}" first')
            else:
                elsewhere = all_flags(request, {"raw": "TAGGED.csv"})
                ways.append(f'train one first, on posts with tags: "{command}{elsewhere}"')
            faults.append(f"{name}: no version yet in {place}: {', or '.join(ways)}")
        else:
            kind = "file" if os.path.splitext(place)[1] else "folder"
            advice = "put it there, or name the folder it is in with --params raw=FOLDER"
            if name == UNLABELLED and LABELLED in {*inputs} - {*missing}:
                training = f"{run_command()} --pipeline=training{all_flags(request)}"
                advice += f', or only train, with "{training}"'
            faults.append(f"{name}: no {kind} {place}: {advice}")
    return faults


def _can_start(writer: str, catalog: DataCatalog) -> bool:
    """Return whether all inputs exist that a registered pipeline reads and no other can write."""
    from kedro.framework.project import pipelines

    derived = {name for pipeline in pipelines.values() for name in pipeline.all_outputs()}
    needed = stored_datasets(catalog, pipelines[writer].inputs() - derived)
    return all(fault_of(dataset) is None for dataset in needed.values())


def _find_writers(missing: Set[str], catalog: DataCatalog) -> dict[str, str]:
    """Find for each missing dataset the registered pipeline that can write it soonest.

    That is the one which itself lacks the fewest outputs of others, of those the one that writes
    most of what is missing, and of those the shortest.
    """
    from kedro.framework.project import pipelines

    registered = {name: pipeline for name, pipeline in pipelines.items() if name != "__default__"}
    written = {name: pipeline.all_outputs() for name, pipeline in registered.items()}
    derived = {dataset for outputs in written.values() for dataset in outputs}

    def rank(name: str) -> tuple[int, int, int]:
        needed = registered[name].inputs() & derived
        lacking = sum(not catalog[dataset].exists() for dataset in needed)
        return lacking, -len(written[name] & missing), len(registered[name].nodes)

    soonest = sorted(registered, key=rank)
    return {
        dataset: next(name for name in soonest if dataset in written[name])
        for dataset in missing & derived
    }
