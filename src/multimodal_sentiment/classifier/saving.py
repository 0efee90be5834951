"""A model is written where its user says, and replaces nothing but an earlier model."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from multimodal_sentiment.files import follow_umask
from multimodal_sentiment.model import SentimentClassifier, SentimentConfig
from multimodal_sentiment.model.classifier import OPTIONAL_FILES
from multimodal_sentiment.model.validation import CONFIG, read_json
from multimodal_sentiment.wording import reason

from .errors import ClassifierError


def save_model(classifier: SentimentClassifier, folder: str | os.PathLike[str]) -> None:
    """See `Classifier.save_pretrained`."""
    place = Path(folder).expanduser()
    if place.exists() and not place.is_dir():
        raise ClassifierError(f"{place} is no folder: name one, or a place where one can be made")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=place, prefix=".writing-") as name:
            classifier.save_pretrained(Path(name))
            follow_umask(Path(name))
            written = os.listdir(name)
            _refuse_other_files(place, {*written, *OPTIONAL_FILES})
            # The configuration comes first: by it, a folder that was left half saved is a model's.
            for file in sorted(written, key=lambda name: name != CONFIG):
                os.replace(Path(name, file), place / file)
        # Of a model that was there before: this one would be loaded with what that one has learnt.
        for file in set(OPTIONAL_FILES) - set(written):
            (place / file).unlink(missing_ok=True)
    except OSError as error:
        raise ClassifierError(f"no model can be written to {place}: {reason(error)}") from error


def _refuse_other_files(place: Path, names: set[str]) -> None:
    """Refuse to replace files that are no earlier model's.

    Raises:
        ClassifierError: If there are some.
    """
    others = sorted(name for name in names if os.path.lexists(place / name))
    if others and not _holds_model(place):
        raise ClassifierError(
            f"{place} holds {', '.join(others)}, and no model of this project: name a folder of "
            "its own for the model"
        )


def _holds_model(place: Path) -> bool:
    try:
        config = read_json(place / CONFIG)
    except (OSError, ValueError):
        return False
    return config.get("model_type") == SentimentConfig.model_type
