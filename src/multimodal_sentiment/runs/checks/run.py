"""Checks before the first node runs what would fail later; each fault is told in one line."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.io import AbstractVersionedDataset, MemoryDataset
from kedro.io.core import generate_timestamp

from multimodal_sentiment.commands import run_command
from multimodal_sentiment.parameters import Parameters

from ..closing_summary import METRICS, MODEL
from ..flags import all_flags
from ..kedro_adapter import (
    Dataset,
    Versionable,
    is_versioned,
    location,
    place_in_words,
    stored_datasets,
)
from ..records import record_path
from ..versions import versions_of
from .compute import check_device, check_optuna, check_processes, check_search
from .encoders import check_encoders
from .inputs import pin_faults, pin_inputs
from .posts import UNLABELLED
from .warnings import warn_of_enlarged_images, warn_of_few_draws, warn_of_unread

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

logger = logging.getLogger(__name__)

CLUSTER_INPUT = "params:cluster"
_PARALLEL = "ParallelRunner"


def check_run(
    data: Path,
    pipeline: Pipeline,
    catalog: DataCatalog,
    outputs: Mapping[str, Versionable],
    request: Mapping[str, Any],
    parameters: Mapping[str, Any],
    *,
    trains_only: bool = False,
) -> dict[str, str | None]:
    """Pin the version of each input that a run reads, and refuse a run that would fail later.

    Args:
        data: The data folder.
        pipeline: The pipeline that will run.
        catalog: The catalog, whose inputs are pinned: to the version asked for, else the promoted
            one, else the newest.
        outputs: The datasets that the run writes, by name.
        request: The run that Kedro was asked for.
        parameters: All parameters.
        trains_only: Whether the run finds no new posts, although it would predict them.

    Returns:
        The version of each dataset that comes from before the run, None where it has no versions.

    Raises:
        click.ClickException: If the run cannot do what it was asked, a line for each reason.
    """
    _refuse(check_optuna(pipeline))
    inputs = stored_datasets(catalog, pipeline.inputs())
    if trains_only and UNLABELLED in inputs:
        place = place_in_words(inputs.pop(UNLABELLED))
        logger.info("%s: each post has a tag, so none is to be predicted in this run", place)
    reads: dict[str, str | None] = {}
    faults = [
        *_training_faults(pipeline, parameters),
        *_runner_faults(pipeline, catalog, request, parameters),
        *pin_faults(request["load_versions"] or {}, inputs, pipeline.all_outputs()),
        *_order_faults(outputs, request["run_id"]),
        *_shared_place_faults(inputs, outputs, request),
    ]
    if not faults:
        reads, faults = pin_inputs(data, inputs, catalog, request)
    if pipeline.inputs() & {f"params:{group}" for group in Parameters.model_fields}:
        _check_parameters(pipeline, catalog, Parameters.model_validate(parameters), request, faults)
    _refuse(faults)
    for name, version in reads.items():  # it appeared file by file, and nobody saw it complete
        ours = is_versioned(catalog[name])  # and not of a folder that model_folder names
        if version and ours and not record_path(data, version).exists():
            logger.warning("%s: no run on record wrote version %s: is it whole?", name, version)
    return reads


def _check_parameters(
    pipeline: Pipeline,
    catalog: DataCatalog,
    parameters: Parameters,
    request: Mapping[str, Any],
    faults: list[str],
) -> None:
    """Refuse a run for its other faults, or what is wrong with what it computes; warn of the rest.

    Raises:
        click.ClickException: If that is so.
    """
    # Which batches a search tries is known only of a space that can be read.
    faults += check_search(pipeline, parameters) or check_processes(pipeline, parameters)
    _refuse(faults)  # before what imports torch, which takes seconds
    faults += check_device(pipeline, parameters)
    found, seen = check_encoders(pipeline, catalog, parameters, request)
    _refuse(faults + found)
    warn_of_enlarged_images(pipeline, parameters, seen)
    warn_of_few_draws(pipeline, parameters)
    warn_of_unread(pipeline, parameters, request["runtime_params"])


def _refuse(faults: list[str]) -> None:
    if faults:
        raise click.ClickException("\n".join(faults))


def _training_faults(pipeline: Pipeline, parameters: Mapping[str, Any]) -> list[str]:
    """Find why a run would not use, or not rightly describe, the model that it trains."""
    faults = []
    if MODEL in pipeline.all_outputs() and parameters.get("model_folder"):
        faults.append(
            f"model_folder: this run trains {MODEL} anew, and would not use "
            f"{parameters['model_folder']}: leave it out, or run --pipeline=inference"
        )
    if MODEL in pipeline.all_outputs() and METRICS in pipeline.inputs():
        faults.append(
            f"{METRICS}: those of an earlier {MODEL} do not describe the one that this run trains: "
            "run evaluation too, as in --pipelines=fitting,evaluation,reporting"
        )
    return faults


def _runner_faults(
    pipeline: Pipeline,
    catalog: DataCatalog,
    request: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> list[str]:
    """Find what Kedro's parallel processes cannot share: workers, and what is in memory."""
    if _PARALLEL not in str(request.get("runner")):
        return []
    starts = f"--runner={_PARALLEL} starts processes that cannot"
    if parameters.get("cluster", {}).get("workers") and CLUSTER_INPUT in pipeline.inputs():
        return [f"{starts} share cluster.workers: leave it out, or set cluster.workers to 0"]
    passed = sorted(pipeline.all_outputs() & pipeline.all_inputs())
    held = [name for name in passed if name in catalog and isinstance(catalog[name], MemoryDataset)]
    return [f"{starts} pass on {', '.join(held)} in memory: leave it out"] if held else []


def _order_faults(outputs: Mapping[str, Versionable], save_version: str) -> list[str]:
    """Find the outputs that would not be the newest.

    Another run was faster, the clock went back, or a folder has a foreign name.
    """
    newest = {name: next(iter(versions_of(dataset)), "") for name, dataset in outputs.items()}
    later = {name: version for name, version in newest.items() if version >= save_version}
    if later and max(later.values()) <= generate_timestamp():
        return [f"run {max(later.values())} has ended since this one was started: start it again"]
    return [
        f"{name}: version {version} in {place_in_words(outputs[name])} would count as newer than "
        f"this run's {save_version}: set the clock right, or move that version away"
        for name, version in later.items()
    ]


def _shared_place_faults(
    inputs: Mapping[str, Dataset], outputs: Mapping[str, Versionable], request: Mapping[str, Any]
) -> list[str]:
    """Find the inputs that lie where the run writes: they would be read before they are written.

    That is so where inference, which reads what an earlier training wrote, is joined to a training.
    """
    written = {location(dataset) for dataset in outputs.values()}
    early = [
        name
        for name, dataset in inputs.items()
        if isinstance(dataset, AbstractVersionedDataset) and location(dataset) in written
    ]
    if not early:
        return []
    return [
        f"{', '.join(early)}: this run writes {place_in_words(inputs[early[0]])} anew, and cannot "
        "read what an earlier run wrote there: run its pipelines one after the other, or all at "
        f'once with "{run_command()}{all_flags(request)}"'
    ]
