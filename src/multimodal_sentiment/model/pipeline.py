"""The model in transformers' own `pipeline`: from texts and images to labels with their scores."""

from __future__ import annotations

import base64
import io
import os
import urllib.request
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import Pipeline

from .image import central_square
from .text import tokenize
from .words import Vocabulary, count_terms

_PATIENCE = 30  # seconds, for an image on the web
_SHOWN = 100  # characters
_ORIENTATION = 274  # the tag of EXIF
_TURNS = {  # what undoes each
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}


class SentimentPipeline(Pipeline):
    """Answers for posts: `pipeline(model=FOLDER, trust_remote_code=True)` makes one.

    A post is a text, or a dictionary with `text`, `image` or both; an image is what transformers'
    other pipelines take: a path, a link or a Pillow image. The answer is a list of `label` and
    `score` for each, the greatest first.
    """

    _load_tokenizer = None  # a model of images has none
    _load_processor = False
    _load_image_processor = False
    _load_feature_extractor = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        config = self.model.config
        terms: list[str] = []
        if config.uses_text and config.counted_terms:
            terms = self.tokenizer.init_kwargs["counted_terms"]
        self._terms = Vocabulary(terms, config.word_form)

    def __call__(self, inputs: Any, *arguments: Any, **options: Any) -> Any:
        """Return the answers to posts, which the model is given one by one, at any `batch_size`.

        transformers would fill up a batch's shorter rows of words with the index of a real one.
        """
        return super().__call__(inputs, *arguments, **options | {"batch_size": 1})

    def _sanitize_parameters(self, **_: Any) -> tuple[dict[str, Any], ...]:
        return {}, {}, {}

    def preprocess(self, input_: str | dict[str, Any]) -> dict[str, Any]:
        """Return a batch of one post, as `encode` takes it."""
        post = {"text": input_} if isinstance(input_, str) else input_
        config, text, image = self.model.config, post.get("text") or "", post.get("image")
        batch: dict[str, Any] = {}
        if config.uses_text:
            ids = torch.tensor(tokenize(self.tokenizer, [text], config.max_tokens))
            batch |= {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            batch["has_text"] = torch.tensor([bool(text.strip())])
            if self._terms:
                counted = count_terms(self._terms, [text])
                batch["term_ids"], batch["term_counts"] = map(torch.from_numpy, counted)
        if config.uses_image:
            side = config.image_config["size"]
            square = np.zeros((side, side, 3), np.uint8)
            if image is not None:
                square = self._look(image)
            batch["pixels"] = torch.from_numpy(square.copy())[None]
            batch["has_image"] = torch.tensor([image is not None])
        return batch

    def _forward(self, batch: dict[str, Any]) -> Any:
        # Arrays, not tensors: what a post has not is then not encoded.
        masks = {
            name: batch.pop(name).cpu().numpy()
            for name in ("has_text", "has_image")
            if name in batch
        }
        return self.model(**batch, **masks)

    def postprocess(self, output: Any) -> list[dict[str, Any]]:
        """Return each label with its score."""
        config = self.model.config
        scores = torch.softmax(output.logits[0].float() / config.calibration_temperature, dim=0)
        pairs = zip(config.labels, scores.tolist(), strict=True)
        answers = [{"label": label, "score": score} for label, score in pairs]
        return sorted(answers, key=lambda answer: -answer["score"])

    def _look(self, image: str | Image.Image) -> np.ndarray:
        """Return the square that the model sees, prepared as its training posts were."""
        config = self.model.config
        said, view = config.training.get("pictures") or {}, config.image_config
        short_side = said.get("short_side", view["resize"])
        if isinstance(image, str):
            opened: Image.Image = Image.open(image if os.path.isfile(image) else _fetch(image))
            width, height = opened.size
            reduction = min(width, height) / (3 * short_side)
            if reduction > 1:  # a JPEG is then decoded at 1/2, 1/4 or 1/8 of its size
                opened.draft(None, (round(width / reduction), round(height / reduction)))
        else:  # the caller's own, which stays as it is
            opened = image
            width, height = opened.size
        upright, turn = _as_rgb(opened), _turn(opened)
        if turn is not None:
            upright = upright.transpose(turn)
        if turn in _SIDEWAYS:
            width, height = height, width
        short = min(width, height)
        longest = int(short * said.get("max_aspect_ratio", 3.0))
        kept_width, kept_height = min(width, longest), min(height, longest)
        left, top = (width - kept_width) // 2, (height - kept_height) // 2
        box = (left, top, left + kept_width, top + kept_height)
        if short > short_side:
            size = int(short_side * kept_width / short), int(short_side * kept_height / short)
            x, y = upright.width / width, upright.height / height
            drafted = (box[0] * x, box[1] * y, box[2] * x, box[3] * y)
            upright = upright.resize(size, Image.Resampling.BILINEAR, drafted)
        else:
            upright = upright.crop(box)
        how = view.get("interpolation", "bilinear")
        return central_square(np.asarray(upright), view["resize"], view["size"], how)


def _fetch(image: str) -> io.BytesIO:
    """Return the file that a link leads to, or that base64 stands for.

    What transformers makes of either is RGB already: what is transparent in it would be black.
    """
    if image.startswith(("http://", "https://")):
        asked = urllib.request.Request(image, headers={"User-Agent": "Mozilla/5.0"})  # noqa: S310
        with urllib.request.urlopen(asked, timeout=_PATIENCE) as answer:  # noqa: S310 - a web link
            return io.BytesIO(answer.read())
    try:
        encoded = "".join((image.partition(",")[2] or image).split())
        return io.BytesIO(base64.b64decode(encoded, validate=True))
    except ValueError as error:
        raise ValueError(f"{image[:_SHOWN]!r} is no file, no link, and no base64") from error


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata is no reason to lose the image
        return None


def _as_rgb(image: Image.Image) -> Image.Image:
    """Return an image in RGB, a transparent one on white."""
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
