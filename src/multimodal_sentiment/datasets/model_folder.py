"""A trained classifier as a dataset."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kedro.io import DatasetError, Version

from multimodal_sentiment.datasets.promotion import answering_version, is_version
from multimodal_sentiment.wording import one_line, size_in_words

from .bases import LocalVersionedDataset
from .previews import JSONPreview

if TYPE_CHECKING:
    from multimodal_sentiment.model import SentimentClassifier

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")

CONFIG = "config.json"
PROFILE = "encoding_profile.json"
_WEIGHTS = "model.safetensors"
_MOST_SHOWN = 300  # characters of a reason
_FILES = (CONFIG, _WEIGHTS, PROFILE)


def find_model(address: Path) -> tuple[Path, str | None]:
    """Return the folder of a model, and its version if the folder is one of several versions.

    Args:
        address: The model's folder itself, that of one version, or that of all versions: of these,
            the promoted one is taken, else the newest.

    Raises:
        DatasetError: If no model is there.
    """
    place = address.expanduser().absolute()
    try:
        if (place / CONFIG).is_file():
            versioned = place.name == place.parent.parent.name
            return place, place.parent.name if versioned else None
        if is_version(place, place.parent.name):
            return _model_of(place), place.name
        if version := answering_version(place):
            return _model_of(place / version), version
    except (OSError, ValueError) as error:
        raise DatasetError(f"no model can be read in {address}: {error}") from error
    raise DatasetError(
        f"no model in {address}: name the folder that holds its {CONFIG}, that of a version, or "
        "the one above the versions (in the project, data/06_models/fusion_model)"
    )


def _model_of(version: Path) -> Path:
    """Return the model's folder in that of a version, whatever the one above is called by now."""
    usual = version / version.parent.name
    return next((it for it in (usual, *sorted(version.iterdir())) if it.is_dir()), usual)


class ModelDataset(LocalVersionedDataset[Saved, Loaded]):
    """What lies in the folder of a model: one of the versions, or one that is named.

    Without a version that is asked for, the promoted one is loaded, else the newest.
    """

    def __init__(
        self,
        *,
        filepath: str,
        folder: dict[str, str | None] | None = None,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Create a new instance.

        Args:
            filepath: The folder, or with versions the folder of their folders.
            folder: As `path`, a model's folder, as `find_model` takes it, that is read in the place
                of all this; nothing can be saved then. Without a path, it means nothing.
            version: The versions to load and to save.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        named = (folder or {}).get("path")
        self._named = Path(named).expanduser() if named else None
        self._settled: tuple[Path, str | None] | None = None
        if self._named is None:
            super().__init__(filepath=filepath, version=version, metadata=metadata)
        else:
            super().__init__(filepath=self._named.as_posix(), metadata=metadata)

    def resolve_load_version(self) -> str | None:
        """Return the version that is loaded: the one asked for, the promoted, or the newest."""
        if self._version and not self._version.load:
            try:
                if version := answering_version(Path(self._filepath)):
                    return version
            except ValueError as error:
                raise DatasetError(str(error)) from error
        found: str | None = super().resolve_load_version()
        return found

    def settle(self, like: ModelDataset[Any, Any] | None = None) -> str | None:
        """Keep to the model that is in the named folder now; what comes there later is not loaded.

        Without a folder that is named, nothing changes: Kedro pins versions.

        Args:
            like: A dataset of the same folder, whose model is taken; None looks for it.

        Returns:
            The version of the model, if it has one.

        Raises:
            DatasetError: If no model is there.
        """
        if self._named:
            self._settled = (like and like._settled) or find_model(self._named)
        return self._settled[1] if self._settled else None

    def _locate(self) -> tuple[Path, str | None]:
        """Return the model's folder, and its version."""
        if self._settled:
            return self._settled
        if self._named:
            return find_model(self._named)
        return Path(self._get_load_path()), self.resolve_load_version()

    def _exists(self) -> bool:
        if self._named:
            check_whole(self._locate()[0])  # whose error says what is wrong
            return True
        folder = Path(self._get_load_path())
        return all((folder / name).is_file() for name in _FILES) and _is_whole(folder / _WEIGHTS)


class ModelFolderDataset(ModelDataset["SentimentClassifier", "SentimentClassifier"]):
    """``ModelFolderDataset`` keeps a ``SentimentClassifier`` in a folder of its own.

    The folder is that of a transformers model: configuration with labels and temperature, weights
    as safetensors, tokenizer. Loading unpickles nothing and runs no code of the folder.

    Example usage for the YAML API:

    ```yaml
    fusion_model:
      type: multimodal_sentiment.datasets.ModelFolderDataset
      filepath: data/06_models/fusion_model
      versioned: true
    ```

    Example usage for the Python API:

    >>> classifier = ModelFolderDataset(filepath="data/06_models/fusion_model").load()
    >>> classifier.labels
    ['negative', 'neutral', 'positive']
    """

    def load(self) -> SentimentClassifier:
        """Read the classifier.

        Raises:
            DatasetError: If a file is missing or broken.
        """
        return load_model(*self._locate())

    def save(self, data: SentimentClassifier) -> None:
        """Write the classifier.

        Raises:
            DatasetError: If the folder is one that was named to be read.
        """
        if self._named:
            raise DatasetError(f"the model in {self._named} is only read: leave model_folder out")
        folder = Path(self._get_save_path())
        folder.mkdir(parents=True, exist_ok=True)
        data.save_pretrained(folder)

    def preview(self) -> JSONPreview:
        """Return the model's whole configuration, and what lies beside it, for Kedro-Viz."""
        from safetensors import safe_open

        from multimodal_sentiment.reporting import describe_model

        folder, _ = self._locate()
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        with safe_open(folder / _WEIGHTS, framework="numpy") as tensors:
            shapes = [tensors.get_slice(name).get_shape() for name in tensors.keys()]
        files = {path.name: size_in_words(path.stat().st_size) for path in sorted(folder.iterdir())}
        model = describe_model(config, sum(math.prod(shape) for shape in shapes))
        return JSONPreview(json.dumps({"model": model, "files": files, "config": config}))


def load_model(folder: Path, version: str | None) -> SentimentClassifier:
    """Read the classifier in a folder.

    Raises:
        DatasetError: If it cannot be read.
    """
    from multimodal_sentiment.model import SentimentClassifier

    check_whole(folder)
    try:
        return SentimentClassifier.load(folder, version)
    except MemoryError:  # no fault of the folder
        raise
    except Exception as error:  # transformers answers odd folders with nearly any exception
        reason = one_line(error)[:_MOST_SHOWN]
        raise DatasetError(
            f"the model in {folder} cannot be read: {reason}: train again, or take another version"
        ) from error


def check_whole(folder: Path) -> None:
    """Refuse the folder of a model that lacks a file."""
    if absent := [name for name in _FILES if not (folder / name).is_file()]:
        raise DatasetError(
            f"{folder} is no whole model: {', '.join(absent)} missing: train again, or take "
            "another version; in Python, write it with save_pretrained of what load_classifier "
            "returns, as the model alone is not enough"
        )


def _is_whole(weights: Path) -> bool:
    """Return whether a safetensors file holds all that it lists."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy"):
            return True
    except (SafetensorError, OSError):
        return False
