"""The model that answers, and after a promotion or a training the next one."""

from __future__ import annotations

import asyncio
import io
import logging
from pathlib import Path

from kedro.io import DatasetError
from PIL import Image

from multimodal_sentiment.classifier.errors import ClassifierError
from multimodal_sentiment.classifier.predictor import Classifier, open_classifier
from multimodal_sentiment.datasets.model_folder import find_model
from multimodal_sentiment.wording import one_line

from .metrics import Metrics

logger = logging.getLogger(__name__)

SECONDS = 2.0  # between two looks at which model answers
_WARMING = (1, 32)  # posts: alone, and as many as have kernels of their own prepared

# A folder, its version, and when its files were written: one without versions may be replaced.
_Identity = tuple[Path, str | None, tuple[int, ...]]


class CurrentModel:
    """Holds the model that `datasets.promotion` says answers, and replaces it as a whole.

    A request takes `classifier` once, and has all its answers from that one.

    Attributes:
        classifier: The model; None until the first is loaded.
    """

    def __init__(self, address: Path, device: str, precision: str, metrics: Metrics) -> None:
        self.classifier: Classifier | None = None
        self._address, self._device, self._precision = address, device, precision
        self._metrics = metrics
        self._identity: _Identity | None = None
        self._failed: _Identity | None = None
        self._said = ""

    def load(self) -> None:
        """Load the model that answers now, unless it is the one that is loaded.

        One that could not be loaded is tried again when its files have changed.

        Raises:
            ClassifierError: If there is none, or it cannot be loaded.
        """
        found = self._find()
        if found in (self._identity, self._failed):
            return
        try:
            folder, version, _ = found
            classifier = open_classifier(folder, self._device, self._precision, version)
            _warm(classifier)
        except Exception:
            self._failed = found
            raise
        if self._find() != found:  # replaced while it was read: the next look takes it up
            return
        self.classifier, self._identity, self._said = classifier, found, ""
        self._metrics.count_load(classifier.version)

    async def follow(self) -> None:
        """Look for another model again and again; one that cannot be loaded changes nothing."""
        while True:
            await asyncio.sleep(SECONDS)
            former = self.classifier
            try:
                await asyncio.to_thread(self.load)
            except Exception as error:  # whatever it is, the former model answers well
                self._say(error)
            else:
                if self.classifier is not former and self.classifier is not None:
                    logger.info("fusion_model %s answers from now on", self.classifier.version)

    def _find(self) -> _Identity:
        try:
            folder, version = find_model(self._address)
            files = sorted(folder.iterdir())
            return folder, version, tuple(path.stat().st_mtime_ns for path in files)
        except (DatasetError, OSError) as error:
            raise ClassifierError(str(error)) from error

    def _say(self, error: Exception) -> None:
        said = one_line(error)
        if said != self._said:  # once, not every two seconds
            self._said = said
            self._metrics.count_failed_load()
            answering = self.classifier and self.classifier.version
            logger.warning("the model %s goes on answering: %s", answering, said)


def _warm(classifier: Classifier) -> None:
    """Have the model answer, so that the first client need not wait for what is done once."""
    buffer = io.BytesIO()
    Image.new("RGB", (320, 320), "grey").save(buffer, "JPEG")
    for posts in _WARMING:
        classifier.predict(["a warm day"] * posts, [buffer.getvalue()] * posts)
