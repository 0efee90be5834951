"""A trained classifier as a dataset."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from kedro.io import DatasetError

from .previews import JSONPreview
from .versioned import LocalVersionedDataset

if TYPE_CHECKING:
    from multimodal_sentiment.model import SentimentClassifier

_MOST_SHOWN = 300  # characters of a reason
_MEGABYTE = 1_000_000
_WEIGHTS = "model.safetensors"
_FILES = ("config.json", _WEIGHTS, "encoding_profile.json")


class ModelFolderDataset(LocalVersionedDataset["SentimentClassifier", "SentimentClassifier"]):
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
        from multimodal_sentiment.model import SentimentClassifier

        folder = Path(self._get_load_path())
        absent = [name for name in _FILES if not (folder / name).is_file()]
        if absent:
            raise DatasetError(
                f"{folder} is no whole model: {', '.join(absent)} missing: train again, or pin "
                "another version with --load-versions"
            )
        try:
            return SentimentClassifier.load(folder, self.resolve_load_version())
        except MemoryError:  # no fault of the folder
            raise
        except Exception as error:  # transformers answers odd folders with nearly any exception
            reason = " ".join(str(error).split())[:_MOST_SHOWN] or type(error).__name__
            raise DatasetError(
                f"the model in {folder} cannot be read: {reason}: train again, or pin another "
                "version with --load-versions"
            ) from error

    def save(self, data: SentimentClassifier) -> None:
        """Write the classifier."""
        folder = Path(self._get_save_path())
        folder.mkdir(parents=True, exist_ok=True)
        data.save(folder)

    def _exists(self) -> bool:
        folder = Path(self._get_load_path())
        return all((folder / name).is_file() for name in _FILES) and _is_whole(folder / _WEIGHTS)

    def preview(self) -> JSONPreview:
        """What the model is, its whole configuration, and what lies beside it, for Kedro-Viz."""
        from safetensors import safe_open

        from multimodal_sentiment.reporting import describe_model

        folder = Path(self._get_load_path())
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with safe_open(folder / "model.safetensors", framework="numpy") as tensors:
            shapes = [tensors.get_slice(name).get_shape() for name in tensors.keys()]
        files = {path.name: _size(path.stat().st_size) for path in sorted(folder.iterdir())}
        model = describe_model(config, sum(math.prod(shape) for shape in shapes))
        return JSONPreview(json.dumps({"model": model, "files": files, "config": config}))


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= _MEGABYTE else f"{count / 1e3:,.1f} kB"


def _is_whole(weights: Path) -> bool:
    """Whether a safetensors file holds all that it lists."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy"):
            return True
    except (SafetensorError, OSError):
        return False
