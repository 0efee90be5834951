"""The summary that is logged at the end of a run."""

from __future__ import annotations

import json
import logging
import shlex
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from multimodal_sentiment.commands import is_module, own_command, run_command
from multimodal_sentiment.datasets.promotion import promoted_version
from multimodal_sentiment.files import short_path
from multimodal_sentiment.wording import duration

from .records import Outcome, Record

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

    from multimodal_sentiment.datasets import ScratchFolderDataset

logger = logging.getLogger(__name__)

FETCHED = (
    "only encoders that have come are kept, and what has come of the next: the same command goes "
    "on from there"
)
METRICS = "metrics"
PAGES = {
    "report": "The report",
    "inference_report": "The new posts' report",
    "comparison_page": "The comparison",
    "second_look_page": "The page for a second look at doubtful tags",
    "search_report": "The report of the search",
}
COMPARISON = "comparison"
SEARCH = "search"
CHOSEN_PARAMETERS = "chosen_parameters"
MODEL = "fusion_model"
SECOND_LOOK = "second_look_page"
SUCCESSION = "against_former_model"
TEST_METRICS = "test_metrics"
ANSWERED = "answered_tables"
SUBMISSION = "submission_file"


def log_summary(
    record: Record,
    places: Mapping[str, Path],
    data: Path,
    seconds: float,
    folders: str,
    inference: str | None,
    corrected: str,
) -> None:
    """Log what was written where, the numbers that matter, and what to try next.

    Args:
        record: The record of the run.
        places: The file or folder of the version that it wrote, by dataset.
        data: The data folder.
        seconds: The time that the run took, s.
        folders: The options that a command needs to work on the same folders.
        inference: The options of the inference that comes next; None if none does.
        corrected: The options of a training like this run, with corrected tags.
    """
    logger.info("%s completed in %s", record.name, duration(seconds))
    layers = defaultdict(list)
    for name, place in places.items():
        layers[place.relative_to(data).parts[0]].append(name)
    for layer, names in sorted(layers.items()):
        logger.info("  %s: %s", short_path(data / layer), ", ".join(sorted(names)))
    _log_results(places, corrected)
    if MODEL in places:
        _log_promoted(places[MODEL].parents[1], record, folders)
    if ANSWERED in places:
        tables = sorted(places[ANSWERED].iterdir())
        if tables:
            logger.info("Your posts with their answers: %s", ", ".join(map(short_path, tables)))
    if inference is not None:
        logger.info(
            "Next: %s --pipeline=inference%s%s",
            run_command(),
            inference,
            f", or {_viz_command(folders)}" if not is_module() else "",
        )
    elif SUBMISSION in places:
        logger.info("The submission is %s", short_path(places[SUBMISSION]))


def _viz_command(folders: str) -> str:
    """Return how to look at what came of a run.

    Kedro-Viz has Kedro's own reading of `--params`, which cuts at every comma and takes `2024_05`
    for a number: it is named with the folders only where it takes these for what they are.

    Args:
        folders: The same as in `log_summary`.
    """
    items = shlex.split(folders)[-1].split(",") if " --params " in folders else []
    with suppress(YAMLError, OmegaConfBaseException):
        read = OmegaConf.to_container(OmegaConf.from_dotlist(items))
        values = dict(item.split("=", 1) for item in items if "=" in item)
        if read == values:
            return f"kedro viz run{folders} to look at it all"
    return "kedro viz run to look at it all, once conf/local/globals.yml names these folders"


def _log_results(places: Mapping[str, Path], corrected: str) -> None:
    """Log the numbers that matter, and where the report is."""

    def read(name: str) -> dict[str, Any] | None:
        return json.loads(places[name].read_text("utf-8")) if name in places else None

    if metrics := read(METRICS):
        logger.info("%s", describe_metrics(metrics))
    for name in (COMPARISON, SEARCH):
        for sentence in (read(name) or {"verdict": []})["verdict"]:
            logger.info("%s", sentence)
    if CHOSEN_PARAMETERS in places:
        logger.info("The parameters to use are in %s", short_path(places[CHOSEN_PARAMETERS]))
    _log_pages(places, corrected)
    if (judged := read(SUCCESSION)) and judged["former"]:
        logger.info("%s", judged["sentence"])
    if (tested := read(TEST_METRICS)) and tested["n"]:
        logger.info("%s", describe_test(tested))


def _log_pages(places: Mapping[str, Path], corrected: str) -> None:
    """Log where the pages are, and what the second look is for."""
    for name, page in PAGES.items():
        if name in places:
            logger.info("%s is %s: open it in a browser", page, short_path(places[name]))
    if SECOND_LOOK in places:
        logger.info(
            "Next: %s --pipeline=training%s, FILE being the file of corrected tags that this page "
            "gives",
            run_command(),
            corrected,
        )


def _log_promoted(versions: Path, record: Record, folders: str) -> None:
    """Log a line if the model that was trained is not the one that answers."""
    with suppress(ValueError, OSError):  # whoever reads the model is told
        if promoted := promoted_version(versions):
            logger.info(
                "Inference goes on answering with the promoted model, %s: %s %s%s lets this one "
                "answer",
                promoted,
                own_command("promote"),
                record.run,
                folders,
            )


def describe_kept(pipeline: Pipeline, catalog: DataCatalog, outcome: Outcome) -> str:
    """Return what an unfinished run leaves, and how to go on."""
    from multimodal_sentiment.datasets import EncoderStoreDataset

    folders = scratch_folders(pipeline, catalog)
    if ways := dict.fromkeys(folder.to_go_on for folder in folders if folder.holds_files()):
        return f"what it has computed is kept: {'; '.join(ways)}"
    if any(isinstance(catalog.get(name), EncoderStoreDataset) for name in pipeline.outputs()):
        return FETCHED
    again = ": the same command starts it anew" if outcome == "interrupted" else ""
    return f"nothing of it is kept{again}"


def scratch_folders(pipeline: Pipeline, catalog: DataCatalog) -> list[ScratchFolderDataset]:
    """Return the folders that hold what an interrupted run goes on from."""
    from multimodal_sentiment.datasets import ScratchFolderDataset

    datasets = [catalog.get(name) for name in pipeline.inputs()]
    return [dataset for dataset in datasets if isinstance(dataset, ScratchFolderDataset)]


def describe_metrics(metrics: Mapping[str, Any]) -> str:
    """Return the three numbers that matter."""
    low, high = metrics["accuracy_interval"]
    name, best = max(metrics["baselines"].items(), key=lambda item: item[1]["accuracy"])
    return (
        f"accuracy {metrics['accuracy']:.3f} ({low:.3f} to {high:.3f}), "
        f"macro-F1 {metrics['macro_f1']:.3f}; best baseline ({name}): "
        f"accuracy {best['accuracy']:.3f}, macro-F1 {best['macro_f1']:.3f}"
    )


def describe_test(metrics: Mapping[str, Any]) -> str:
    """Return how good the model is on posts that were to be predicted and carry a tag."""
    low, high = metrics["accuracy_interval"]
    twins = metrics["twins_in_training"]
    without = ""
    if twins and twins["without"]:
        rest = twins["without"]
        low_rest, high_rest = rest["accuracy_interval"]
        without = (
            f"; without the {twins['posts']:,} that have a twin among the training posts "
            f"{rest['accuracy']:.3f} ({low_rest:.3f} to {high_rest:.3f})"
        )
    return (
        f"test accuracy {metrics['accuracy']:.3f} ({low:.3f} to {high:.3f}), macro-F1 "
        f"{metrics['macro_f1']:.3f}, on {metrics['n']:,} posts{without}"
    )
