"""Reads the preprocessing of an image encoder: statistics, size, crop and interpolation.

These are read as numbers from the files published with the weights. The pixels are then prepared by
this project's own code, which is faster than that of the libraries and gives equal results.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, PreTrainedConfig

from multimodal_sentiment.encoders import Encoder, EncoderError, read_config, read_json

from .image import central_square, normalise
from .networks import first_line
from .pretrained import OFFLINE

PREPROCESSOR = "preprocessor_config.json"
PROCESSOR = "processor_config.json"  # how transformers 5 writes that with a tokenizer's settings

_WHOLE = 384  # px from which on ConvNeXt's processor cuts nothing off
_TOLERANCE = 0.01  # of normalised pixels, which range over about 4


def read_view(encoder: Encoder, config: PreTrainedConfig) -> dict[str, Any]:
    """Return the preprocessing that an encoder was trained with.

    Args:
        encoder: The folder of an encoder, as timm or transformers write it.
        config: The configuration of all that the folder holds.

    Returns:
        `mean` and `std` of each channel, `interpolation`, and in px `size`, the side of the square
        that it reads, and `resize`, the length that the short side is resized to before.

    Raises:
        EncoderError: If the folder does not say, or asks for steps that are not supported.
    """
    if config.model_type == "timm_wrapper":
        return _read_timm(encoder)
    file = _settings_file(encoder)
    if not file.is_file():
        raise EncoderError(
            f"model.image.encoder: {encoder.path} has no {PREPROCESSOR}, which says how its "
            "pictures were normalised: put the encoder's own there"
        )
    read_json(file)  # it is small, and whole
    try:
        # The one on Pillow resizes as we do.
        processor = AutoImageProcessor.from_pretrained(
            encoder.path, config=config, backend="pil", **OFFLINE
        )
    except Exception as error:  # what transformers raises here has no common base
        raise EncoderError(
            f"model.image.encoder: {file} is broken ({first_line(error)}): fetch or copy it again"
        ) from error
    cut = processor.crop_size if getattr(processor, "do_center_crop", None) else None
    resize = _square_side(processor.size)
    size = _square_side(cut) or resize
    if not size or not resize:
        raise EncoderError(f"model.image.encoder: {file} names no size: fetch or copy it again")
    share = getattr(processor, "crop_pct", None)  # ConvNeXt's way to say what is cut off
    if share and size < _WHOLE:
        resize = int(size / share)
    std = _channel_values(str(file), "image_std", processor.image_std)
    if getattr(processor, "include_top", False):
        std = [value**2 for value in std]  # EfficientNet's divides by it twice
    view = {
        "mean": _channel_values(str(file), "image_mean", processor.image_mean),
        "std": std,
        "interpolation": _filter_name(processor.resample),
        "size": size,
        "resize": max(size, resize),
    }
    _check_view(encoder, processor, view)
    return view


def _settings_file(encoder: Encoder) -> Path:
    """Return the file that transformers reads a preprocessing from."""
    whole = encoder.path / PROCESSOR
    if whole.is_file() and "image_processor" in read_json(whole):
        return whole
    return encoder.path / PREPROCESSOR


def _read_timm(encoder: Encoder) -> dict[str, Any]:
    import timm.data

    content = read_config(encoder.path)
    about = content.get("pretrained_cfg", content)
    place = f"config.json of {encoder.path}"
    if not isinstance(about, dict):
        raise EncoderError(f"model.image.encoder: {place} is broken: fetch or copy it again")
    for key in about.keys() & {"mean", "std"}:
        _channel_values(place, key, about[key])
    said = timm.data.resolve_data_config(pretrained_cfg=about)
    size = said["input_size"][-1]
    return {
        "mean": _channel_values(place, "mean", said["mean"]),
        "std": _channel_values(place, "std", said["std"]),
        "interpolation": _filter_name(said["interpolation"]),
        "size": size,
        "resize": max(size, math.floor(size / said["crop_pct"])),
    }


def _square_side(size: Any) -> int | None:
    """Return the side of the square that a processor's size means, px."""
    if size is None:
        return None
    sides = [getattr(size, name, None) for name in ("shortest_edge", "height", "width")]
    return min((side for side in sides if side), default=None)


def _filter_name(how: Any) -> str:
    """Return Pillow's name of a resampling filter; bilinear if Pillow does not have it."""
    name = str(getattr(how, "value", how)).lower()  # an enum's, a number or a word
    names = {str(filter.value): filter.name.lower() for filter in Image.Resampling}
    name = names.get(name, name)
    return name if name in names.values() else "bilinear"


def _channel_values(place: str, key: str, values: Any) -> list[float]:
    """Return a statistic of each channel, checked to be three finite numbers."""
    try:
        red, green, blue = map(float, values)
    except (TypeError, ValueError):
        red = green = blue = math.nan
    wrong = not all(map(math.isfinite, (red, green, blue)))
    if wrong or ("std" in key and min(red, green, blue) <= 0):
        raise EncoderError(
            f"model.image.encoder: {place} has no three numbers as {key}: fetch or copy it again"
        )
    return [red, green, blue]


def _check_view(encoder: Encoder, processor: Any, view: dict[str, Any]) -> None:
    """Check that the processor does no more to images than this project does."""
    side = view["resize"]
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    square = central_square(pixels, side, view["size"], view["interpolation"])
    ours = normalise(torch.from_numpy(square.copy())[None], view["mean"], view["std"])
    theirs = processor(images=Image.fromarray(pixels), return_tensors="pt")["pixel_values"]
    if ours.shape != theirs.shape or (ours - theirs).abs().max() > _TOLERANCE:
        file = _settings_file(encoder).name
        raise EncoderError(
            f"model.image.encoder: {file} of {encoder.name} asks for more than to resize, cut out "
            "and normalise pictures: choose another encoder"
        )
