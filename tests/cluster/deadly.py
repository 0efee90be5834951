"""Workers that die of posts with a mark: of KILL each time, of ONCE the first time in each step."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

KILL, ONCE = b"KILL", b"ONCE"


def watch_for_marks() -> None:
    """Set up a worker: what a step calls for each post looks for marks first.

    The folder that NOTED names holds which steps have had a worker die of ONCE.
    """
    from multimodal_sentiment.decoding import reading
    from multimodal_sentiment.learning import predict
    from multimodal_sentiment.pipelines.preparation import examples

    folder = Path(os.environ["NOTED"])

    def look(step: str, content: bytes) -> None:
        noted = folder / step
        if KILL in content or (ONCE in content and not noted.exists()):
            noted.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    structural_encoding, decode_image = reading.structural_encoding, examples.decode_image
    dataset = predict.PostDataset

    def watched_encoding(payload: bytes) -> str:
        look("reading", payload)
        return structural_encoding(payload)

    def watched_image(payload: bytes, **options: Any) -> Any:
        look("preparing", payload)
        return decode_image(payload, **options)

    def watched_dataset(config: Any, tokenizer: Any, texts: Any, *others: Any, **more: Any) -> Any:
        look("computing", "\n".join(texts).encode())
        return dataset(config, tokenizer, texts, *others, **more)

    reading.structural_encoding = watched_encoding
    examples.decode_image = watched_image
    predict.PostDataset = watched_dataset  # type: ignore[misc]
