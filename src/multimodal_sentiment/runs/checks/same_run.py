"""Which inputs of a run belong together: no model is described by the numbers of another."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..closing_summary import METRICS, MODEL
from ..kedro_adapter import Dataset
from ..records import read_record
from ..versions import versions_of

logger = logging.getLogger(__name__)

_EXAMPLES = "labelled.examples"
# Each is read as the run that wrote the other had it; the other one comes first.
_OF_THE_SAME_RUN = {
    "validation_predictions": METRICS,
    "train_posts": METRICS,
    _EXAMPLES: METRICS,
    "labelled.ingestion_report": _EXAMPLES,
    "training_history": MODEL,
}


def others_first(names: Iterable[str]) -> list[str]:
    """Return names of datasets in an order in which `same_run_version` can tell of each."""
    given = list(names)
    return [name for name in given if name not in _OF_THE_SAME_RUN] + [
        name for name in _OF_THE_SAME_RUN if name in given
    ]


def same_run_version(
    data: Path, name: str, dataset: Dataset, reads: Mapping[str, str | None]
) -> str | None:
    """Return the version of a dataset that belongs to what else a run reads.

    Args:
        data: The data folder, which holds the records of runs.
        name: The name of the dataset.
        dataset: The dataset.
        reads: The versions of what the run reads, as far as they are known.

    Returns:
        The version; None if it belongs to nothing that the run reads, no record tells, or it is no
        longer there, which is warned of.
    """
    other = _OF_THE_SAME_RUN.get(name, "")
    record = read_record(data, version) if (version := reads.get(other)) else None
    same = {**record.reads, **record.writes}.get(name) if record else None
    if same is None or same in versions_of(dataset):
        return same
    logger.warning(
        "%s: version %s, which %s %s goes with, is no longer there: what another version says is "
        "not of that run",
        *(name, same, other, version),
    )
    return None


def say_choice(
    name: str, dataset: Dataset, version: str, same: str, reads: Mapping[str, str | None]
) -> None:
    """Log that a version is not the newest, and warn of one that belongs to nothing else.

    Args:
        name: The name of the dataset.
        dataset: The dataset.
        version: The version that is read.
        same: The one that belongs to what else is read, as `same_run_version` tells.
        reads: The versions of what the run reads.
    """
    other = _OF_THE_SAME_RUN[name]
    if version != same:
        logger.warning(
            "%s: version %s is read, as asked for, although %s %s goes with %s",
            *(name, version, other, reads[other], same),
        )
    elif version != versions_of(dataset)[0]:
        logger.info("%s: version %s, which %s %s goes with", name, version, other, reads[other])
