"""Training on a frame of posts: the pipelines that `kedro run` runs, without files of one's own."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import click
from kedro.framework import project
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol

from multimodal_sentiment.classifier.errors import ClassifierError
from multimodal_sentiment.classifier.frames import column_names, has_test_posts, write_posts
from multimodal_sentiment.classifier.predictor import Classifier
from multimodal_sentiment.config_loader import flatten, own_configuration, put
from multimodal_sentiment.datasets.model_folder import find_model, load_model
from multimodal_sentiment.layouts.errors import LayoutError
from multimodal_sentiment.layouts.tables.columns import find_columns
from multimodal_sentiment.parameters import ComputeParameters
from multimodal_sentiment.runs.closing_summary import describe_metrics
from multimodal_sentiment.runs.error_lines import is_expected, noted_line
from multimodal_sentiment.runs.kedro_adapter import location
from multimodal_sentiment.runs.lock import locked
from multimodal_sentiment.runs.records import RUNS

logger = logging.getLogger(__name__)

PACKAGE = "multimodal_sentiment"
POSTS = Path("01_raw") / "posts.parquet"
SETTLED = ("raw", "data", "columns")  # by what `train` is given
OF_FILES = ("columns.", "ingestion.layout", "corrections", "model_folder")


class TrainedClassifier(Classifier):
    """A classifier that knows how it came to be.

    Attributes:
        folder: The folder of posts, model and results, as `kedro run` leaves them.
        metrics: Its scores on the validation posts, as `metrics` in `08_reporting`.
        test_metrics: The same on the posts whose split is `test`; None if there are none.
        report: The path of the report, a page for a browser.
    """

    def __init__(
        self,
        catalog: CatalogProtocol[Any, Any],
        version: str,
        columns: Mapping[str, Any],
        compute: ComputeParameters,
    ) -> None:
        folder = location(catalog["fusion_model"])
        super().__init__(load_model(*find_model(folder / version)), compute)
        self._columns |= columns
        self.folder = folder.parents[1]
        self.report = _place(catalog, "report", version)
        self.metrics: dict[str, Any] = json.loads(
            _place(catalog, "metrics", version).read_text("utf-8")
        )
        tested = _place(catalog, "test_metrics", version)
        self.test_metrics = json.loads(tested.read_text("utf-8")) if tested.exists() else None

    def __repr__(self) -> str:
        return (
            f"<TrainedClassifier of {', '.join(self.labels)}: {describe_metrics(self.metrics)}; "
            f"its report is {self.report}>"
        )


def train_on_frame(
    posts: Any,
    columns: Mapping[str, Hashable],
    folder: str | os.PathLike[str] | None,
    env: str | None,
    parameters: Mapping[str, Any],
) -> TrainedClassifier:
    """See `multimodal_sentiment.train`; columns are named by what they hold."""
    env = env or os.getenv("KEDRO_ENV")  # as Kedro's session has it
    names = _find_columns(posts, columns)
    given = _as_tree(parameters)
    place = Path(folder or mkdtemp(prefix="multimodal_sentiment-")).expanduser().resolve()
    given |= {"raw": str(place / POSTS), "data": str(place)}
    conf = str(own_configuration())
    made = None if folder else place
    with (
        _removed_if_of_no_use(made),
        _errors_in_one_line(made),
        _this_project(),
        ExitStack() as stack,
    ):
        logger.info("Posts, model and report go into %s", place)
        for name in _said_of_files(conf, env, given):
            put(given, name.split("."), None)
        session = KedroSession.create(Path.cwd(), env=env, runtime_params=given, conf_source=conf)
        with session:
            catalog = session.load_context().catalog
            with locked(place):
                stack.enter_context(_former_kept(place / POSTS))
                write_posts(posts, names, place / POSTS)
            # Posts whose split is test are predicted too, and the report shows how well.
            is_tested = has_test_posts(posts, names)
            session.run(pipeline_names=["__default__" if is_tested else "training"])
            compute = ComputeParameters.model_validate(catalog["params:compute"].load())
        # As `load_classifier` has it: each part of what is predicted would start readers anew.
        compute = compute.model_copy(update={"workers": 0, "compile": False, "processes": 1})
        return TrainedClassifier(catalog, session.session_id, names, compute)


@contextmanager
def _former_kept(path: Path) -> Iterator[None]:
    """Have another file written to a path; if the block raises, the former one comes back.

    So does the former one of a process that was killed in its block.
    """
    former = path.with_name(f".{path.name}.former")
    if path.exists() and not former.exists():
        os.replace(path, former)
    try:
        yield
    except BaseException:
        if former.exists():
            os.replace(former, path)
        raise
    former.unlink(missing_ok=True)


def _find_columns(posts: Any, columns: Mapping[str, Hashable]) -> dict[str, Any]:
    names = column_names(posts)
    given = {role: None if name is None else str(name) for role, name in columns.items()}
    try:
        found = find_columns([*map(str, names)], given, "the frame")
    except LayoutError as error:
        raise ClassifierError(_in_python(str(error))) from error
    if "tag" not in found:
        raise ClassifierError(
            f"the frame has no column that is known to hold tags: name it, as in tag='NAME', among "
            f"{', '.join(map(str, names))}"
        )
    named = {str(name): name for name in names}
    return {role: named[name] for role, name in found.items()}


def _as_tree(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as a tree, whether they are named as in `training.epochs` or in one."""
    tree: dict[str, Any] = {}
    try:
        for name, value in parameters.items():
            put(tree, name.split("."), value)
    except ValueError as error:
        raise ClassifierError(f"parameters: {error}") from error
    if settled := sorted(tree.keys() & {*SETTLED}):
        raise ClassifierError(
            f"parameters: {settled[0]} is not set here: train is given the posts, the names of "
            "their columns, and the folder"
        )
    return tree


def _said_of_files(conf: str, env: str | None, given: Mapping[str, Any]) -> list[str]:
    """Name what the configuration says of the user's own files, and the caller does not.

    A frame is no file of these: its columns have been found, and its model is yet to be trained.
    """
    loader = project.settings.CONFIG_LOADER_CLASS(
        conf, env=env, runtime_params=dict(given), **project.settings.CONFIG_LOADER_ARGS
    )
    own = dict(flatten(given))
    return [
        name
        for name, value in flatten(loader["parameters"])
        if name.startswith(OF_FILES) and value is not None and name not in own
    ]


def _place(catalog: CatalogProtocol[Any, Any], name: str, version: str) -> Path:
    """Return the file of a dataset's version."""
    folder = location(catalog[name])
    return folder / version / folder.name


@contextmanager
def _this_project() -> Iterator[None]:
    """Have Kedro run this project, and afterwards the one that it had before."""
    former = project.PACKAGE_NAME
    if former != PACKAGE:
        project.configure_project(PACKAGE)
    try:
        yield
    finally:
        if former and former != PACKAGE:
            project.configure_project(former)


@contextmanager
def _removed_if_of_no_use(made: Path | None) -> Iterator[None]:
    """Remove the folder that was made for this training if that fails before its run has begun.

    A run that had begun left its record, the log that its error names, and perhaps a model.
    """
    try:
        yield
    except Exception:
        if made and not any((made / RUNS).glob("*.json")):
            shutil.rmtree(made, ignore_errors=True)
        raise


@contextmanager
def _errors_in_one_line(made: Path | None) -> Iterator[None]:
    """Have what is wrong said in one line.

    Args:
        made: The temporary folder that was made for this training; None if one was named.
    """
    try:
        yield
    except click.ClickException as error:
        message = error.message
        if made and (flags := f"raw={made / POSTS},data={made}") in message:
            message = message.replace(flags, "data=FOLDER")  # the next would make another folder
            message += ': give train that folder, as in folder="FOLDER"'
        raise ClassifierError(message) from error
    except Exception as error:
        if isinstance(error, ClassifierError) or not is_expected(error):
            raise
        raise ClassifierError(_in_python(noted_line(error))) from error


def _in_python(message: str) -> str:
    """Return what names a parameter of columns as it names one of `train`."""
    return message.replace("columns.", "")
