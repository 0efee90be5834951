"""Answers for posts with ONNX Runtime: needs onnxruntime, tokenizers, numpy and Pillow 11.3.

    python answer.py                      checks itself against expected.json
    python answer.py "What a day!"        answers for a text
    python answer.py "What a day!" a.jpg  answers for a text and an image ("" for no text)
    python answer.py --help               shows these lines

It stands in a folder that `kedro export` has written, and imports nothing of that project.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import math
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import PIL
from PIL import Image
from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

if tuple(map(int, PIL.__version__.split(".")[:2])) < (11, 3):  # the first that reads AVIF
    raise SystemExit(f"Pillow {PIL.__version__} is too old: pip install 'Pillow>=11.3'")

HERE = Path(__file__).parent

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")
ORIENTATION = 274  # the tag of EXIF
TURNS = {  # what undoes each
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = {TURNS[orientation] for orientation in (5, 6, 7, 8)}
BOUNDS = ("short_side", "max_aspect_ratio", "max_megapixels")
LEAST_ROWS = 0.99  # of a JPEG whose end is missing; one that lacks more is broken

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
            images: The bytes of a file each, None where there is none. One that cannot be decoded
                is left out: a warning in the log says why, and the post's text is answered for.
        """
        inputs: dict[str, np.ndarray] = {}
        if not len(texts):
            return np.empty((0, len(self.labels)), np.float32)
        if self.settings["text"]:
            inputs |= self._read([_well_formed(text or "") for text in texts])
        if self.settings["image"]:
            side = self.settings["image"]["size"]
            seen = [self._look(row, image) for row, image in enumerate(images)]
            nothing = np.zeros((side, side, 3), np.uint8)
            inputs["pixels"] = np.stack([nothing if it is None else it for it in seen])
            inputs["has_image"] = np.array([it is not None for it in seen])
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

    def _look(self, row: int, payload: bytes | None) -> np.ndarray | None:
        """Return the square that the model sees, uint8 of shape (size, size, 3)."""
        if payload is None:
            return None
        said = self.settings["image"]
        try:
            image = bounded(payload, **{name: said[name] for name in BOUNDS})
        except MemoryError:  # which is no fault of the image
            raise
        except Exception as error:  # Pillow meets broken bytes with nearly any exception
            logger.warning("the image of post %d is left out: %s", row, error)
            return None
        # The central square.
        size, side = said["size"], min(image.size) * said["size"] / said["resize"]
        left, top = (image.width - side) / 2, (image.height - side) / 2
        if side == size:
            left, top = round(left), round(top)
            return np.asarray(image.crop((left, top, left + size, top + size)))
        how = Image.Resampling[said["interpolation"].upper()]
        return np.asarray(image.resize((size, size), how, (left, top, left + side, top + side)))


def bounded(
    payload: bytes, short_side: int, max_aspect_ratio: float, max_megapixels: float
) -> Image.Image:
    """Return an image upright, in RGB, long ones cut and large ones reduced.

    The model's training posts were prepared in the same way. A JPEG whose end is missing is read if
    hardly anything is.

    Raises:
        Exception: If the bytes are not one image of a known format.
    """
    try:
        image, width, height = _decode(payload, short_side, max_megapixels)
    except Exception:  # Pillow meets broken bytes with nearly any
        if not payload.startswith(b"\xff\xd8"):
            raise
        image, width, height = _decode(_with_end(payload), short_side, max_megapixels, is_cut=True)
    short, longest = min(width, height), int(min(width, height) * max_aspect_ratio)
    kept_width, kept_height = min(width, longest), min(height, longest)
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    box = (left, top, left + kept_width, top + kept_height)
    if short <= short_side:
        return image.crop(box)
    size = int(short_side * kept_width / short), int(short_side * kept_height / short)
    # Of a JPEG that was decoded at a fraction of its size.
    x, y = image.width / width, image.height / height
    drafted = box[0] * x, box[1] * y, box[2] * x, box[3] * y
    return image.resize(size, Image.Resampling.BILINEAR, drafted)


def _decode(
    payload: bytes, short_side: int, max_megapixels: float, *, is_cut: bool = False
) -> tuple[Image.Image, int, int]:
    """Return an image, upright and in RGB, and the width and height that its file has."""
    with Image.open(io.BytesIO(payload), formats=FORMATS) as opened:
        width, height = opened.size
        if width * height > max_megapixels * 1e6:
            raise ValueError(f"claims over {max_megapixels:g} megapixels")
        reduction = min(width, height) / (3 * short_side)
        if reduction > 1 and not is_cut:  # a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
            opened.draft(None, (round(width / reduction), round(height / reduction)))
        opened.load()
        if is_cut:
            _check_rows(opened)
        image, turn = _as_rgb(opened), _turn(opened)
        if turn is not None:
            image = image.transpose(turn)
        if turn in SIDEWAYS:
            width, height = height, width
        return image, width, height


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return TURNS.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged metadata is no reason to lose the image
        return None


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):  # no fixed range: its own extremes become black and white
        levels = np.nan_to_num(np.asarray(image, np.float32)).astype(np.float64)
        levels -= levels.min()
        levels *= 255 / (levels.max() or 1)
        return Image.fromarray(levels.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _with_end(payload: bytes) -> bytes:
    """Return a cut JPEG with the mark of its end, in place of its last segment if that is cut."""
    end = len(payload)
    for marker in re.finditer(rb"\xff[\x02-\xcf\xda-\xfe]", payload):
        length = int.from_bytes(payload[marker.end() : marker.end() + 2], "big")
        end = marker.start() if marker.end() + max(length, 2) > len(payload) else len(payload)
    return payload[:end] + b"\xff\xd9"


def _check_rows(image: Image.Image) -> None:
    """Refuse a cut JPEG whose last rows are all of the grey that stands for missing ones."""
    least = math.ceil(LEAST_ROWS * image.height)
    tail = np.asarray(image.crop((0, least - 1, image.width, image.height)))
    if not (np.abs(tail.astype(np.int16) - 128) > 1).any():
        raise ValueError("truncated")


def _well_formed(text: str) -> str:
    """Return a text without halves of surrogate pairs, which no tokenizer reads."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
    if sys.argv[1:] in (["--help"], ["-h"]):
        sys.stdout.write(str(__doc__))
        raise SystemExit
    answerer = Answerer()
    if len(sys.argv) == 1:
        sys.stdout.write(f"as expected, to {check(answerer):.1g}\n")
    else:
        text, *images = sys.argv[1:]
        (row,) = answerer([text], [Path(images[0]).read_bytes() if images else None])
        for label, probability in zip(answerer.labels, row, strict=True):
            sys.stdout.write(f"{label}  {probability:.3f}\n")
