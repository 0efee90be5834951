"""Answers for posts with ONNX Runtime: needs onnxruntime, tokenizers, numpy and Pillow.

    python answer.py                      checks itself against expected.json
    python answer.py "What a day!"        answers for a text
    python answer.py "What a day!" a.jpg  answers for a text and an image ("" for no text)

It stands in a folder that `kedro export` has written, and imports nothing of that project.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image, ImageOps
from tokenizers import Tokenizer

HERE = Path(__file__).parent

URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
USER = re.compile(r"(?<!\w)@\w+")
# Scripts that put no spaces between words: each letter is a word.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
UNSPACED += "\U00020000-\U0003ffff"
MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u0dff"
WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[\w{MARKS}]){{2,}}")


class Answerer:
    """The model of a folder."""

    def __init__(self, folder: Path = HERE) -> None:
        self.settings = json.loads((folder / "settings.json").read_text("utf-8"))
        self.labels: list[str] = self.settings["labels"]
        self._session = onnxruntime.InferenceSession(
            folder / "model.onnx", providers=["CPUExecutionProvider"]
        )
        terms = json.loads((folder / "terms.json").read_text("utf-8"))
        self._terms = {term: index for index, term in enumerate(terms)}
        if self.settings["text"]:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._tokenizer.enable_truncation(self.settings["text"]["max_tokens"])
            self._tokenizer.no_padding()

    def __call__(self, texts: Sequence[str | None], images: Sequence[bytes | None]) -> np.ndarray:
        """Return probabilities of shape (posts, labels).

        Args:
            texts: One a post, None where there is none.
            images: The bytes of a file each, None where there is none.
        """
        inputs: dict[str, np.ndarray] = {}
        if self.settings["text"]:
            inputs |= self._read([text or "" for text in texts])
        if self.settings["image"]:
            side = self.settings["image"]["size"]
            inputs["pixels"] = np.stack(
                [
                    np.zeros((side, side, 3), np.uint8) if i is None else self._look(i)
                    for i in images
                ]
            )
            inputs["has_image"] = np.array([image is not None for image in images])
        (probabilities,) = self._session.run(None, inputs)
        return np.asarray(probabilities)

    def _read(self, texts: list[str]) -> dict[str, np.ndarray]:
        cleaned = list(map(clean, texts))
        encoded = [encoding.ids for encoding in self._tokenizer.encode_batch(cleaned)]
        ids = np.full(
            (len(texts), max(map(len, encoded))), self.settings["text"]["padding"], np.int64
        )
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(encoded):
            ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
        has_text = np.array([bool(text.strip()) for text in texts])
        inputs = {"input_ids": ids, "attention_mask": mask, "has_text": has_text}
        return inputs | (self._count(texts) if self.settings["counts_words"] else {})

    def _count(self, texts: list[str]) -> dict[str, np.ndarray]:
        counted: list[Counter[int]] = []
        for text in texts:
            form = self.settings["word_form"]
            words = WORD.findall(clean(unicodedata.normalize(form, text) if form else text).lower())
            terms = words + [f"{first} {second}" for first, second in pairwise(words)]
            counted.append(Counter(self._terms[term] for term in terms if term in self._terms))
        shape = len(texts), max([1, *map(len, counted)])
        ids, counts = np.full(shape, len(self._terms), np.int64), np.zeros(shape, np.int64)
        for row, found in enumerate(counted):
            ids[row, : len(found)], counts[row, : len(found)] = list(found), list(found.values())
        return {"term_ids": ids, "term_counts": counts}

    def _look(self, payload: bytes) -> np.ndarray:
        """Return the square that the model sees, uint8 of shape (size, size, 3)."""
        said = self.settings["image"]
        with Image.open(io.BytesIO(payload)) as opened:
            image: Any = ImageOps.exif_transpose(opened)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("RGB")
        # Long ones are cut, and large ones reduced, as the model's training posts were.
        short, longest = min(image.size), int(min(image.size) * said["max_aspect_ratio"])
        width, height = (min(side, longest) for side in image.size)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        box = (left, top, left + width, top + height)
        if short > said["short_side"]:
            size = tuple(int(said["short_side"] * side / short) for side in (width, height))
            image = image.resize(size, Image.Resampling.BILINEAR, box)
        else:
            image = image.crop(box)
        # Then the central square.
        size, side = said["size"], min(image.size) * said["size"] / said["resize"]
        left, top = (image.width - side) / 2, (image.height - side) / 2
        if side == size:
            left, top = round(left), round(top)
            return np.asarray(image.crop((left, top, left + size, top + size)))
        how = Image.Resampling[said["interpolation"].upper()]
        return np.asarray(image.resize((size, size), how, (left, top, left + side, top + side)))


def clean(text: str) -> str:
    """Return the text with each link as `http` and each mentioned user as `@user`."""
    return USER.sub("@user", URL.sub("http", text))


def check(answerer: Answerer) -> float:
    """Return how far the answers are from those expected.

    Raises:
        SystemExit: If that is too far.
    """
    expected = json.loads((HERE / "expected.json").read_text("utf-8"))
    posts = expected["posts"]
    images = [post["image"] and base64.b64decode(post["image"]) for post in posts]
    answers = answerer([post["text"] for post in posts], images)
    worst = float(np.abs(answers - [post["probabilities"] for post in posts]).max())
    if not worst <= expected["tolerance"]:
        raise SystemExit(f"the answers are not as expected: they differ by {worst:.2g}")
    return worst


if __name__ == "__main__":
    answerer = Answerer()
    if len(sys.argv) == 1:
        sys.stdout.write(f"as expected, to {check(answerer):.1g}\n")
    else:
        text, *images = sys.argv[1:]
        (row,) = answerer([text], [Path(images[0]).read_bytes() if images else None])
        for label, probability in zip(answerer.labels, row, strict=True):
            sys.stdout.write(f"{label}  {probability:.3f}\n")
