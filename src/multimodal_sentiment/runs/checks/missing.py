"""Says before the first node how to get the inputs of a run that are not there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.commands import run_command

from ..closing_summary import MODEL
from ..flags import all_flags
from ..kedro_adapter import place_in_words
from .posts import LABELLED, UNLABELLED

if TYPE_CHECKING:
    from kedro.io import DataCatalog

# Pipelines that start from the user's own files.
_WHOLE = ("reading", "training", "comparison", "search", "inference")


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
    faults = []
    for name in missing:
        place = place_in_words(catalog[name])
        if writer := _find_writer(name):
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


def _find_writer(name: str) -> str | None:
    """Return the pipeline that is advised for a dataset: one that needs nothing else, if it can be.

    Of several it is the smallest; None if no pipeline writes the dataset.
    """
    from kedro.framework.project import pipelines

    writers = [
        label
        for label, pipeline in pipelines.items()
        if label != "__default__" and name in pipeline.all_outputs()
    ]
    return min(
        writers,
        key=lambda label: (label not in _WHOLE, len(pipelines[label].nodes)),
        default=None,
    )
