"""What comes out of images with odd metadata, and of JPEGs that are cut: two tables.

    python tests/benchmarks/images.py

Metadata: each file of `tests/posts/test_metadata.py`, its size, the seconds and the memory that
decoding it takes. Cuts: four JPEGs, each cut at ten places, the rows that its data reaches, and how
close what comes out is to the whole (PSNR, at a short side of 256 px).
"""

from __future__ import annotations

import io
import math
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from multimodal_sentiment.posts.imaging import BrokenImageError, DecodedImage, decode_image

sys.path.insert(0, str(Path(__file__).parents[1] / "posts"))
from test_metadata import FAT

SHARES = (0.9999, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9, 0.75, 0.5, 0.25)
KINDS: dict[str, tuple[tuple[int, int], str, dict[str, Any]]] = {
    "600 x 450, colours halved": ((600, 450), "RGB", {}),
    "1200 x 1600, colours whole": ((1200, 1600), "RGB", {"subsampling": 0}),
    "480 x 640, grey": ((480, 640), "L", {}),
    "600 x 450, progressive": ((600, 450), "RGB", {"progressive": True}),
}


def main() -> None:
    warnings.filterwarnings("ignore", module="PIL")
    print("| metadata | format | file MB | outcome | s | more peak memory, MB |")
    print("| --- | --- | ---: | --- | ---: | ---: |")
    made = [(name, kind, make()) for name, (kind, make) in FAT.items()]
    for name, kind, payload in sorted(made, key=lambda one: len(one[2])):  # peaks only grow
        before, began = _peak(), time.process_time()
        outcome = _outcome(payload)[0]
        took, grown = time.process_time() - began, _peak() - before
        print(f"| {name} | {kind} | {len(payload) / 1e6:.2f} | {outcome} | {took:.2f} | {grown} |")
    print("\n| JPEG | kept of its bytes | outcome | dB |\n| --- | ---: | --- | ---: |")
    for name, (size, mode, options) in KINDS.items():
        buffer = io.BytesIO()
        photo(*size).convert(mode).save(buffer, "JPEG", quality=88, **options)
        payload = buffer.getvalue()
        whole = _outcome(payload)[1]
        for share in SHARES:
            outcome, image = _outcome(payload[: int(len(payload) * share)])
            closeness = "" if image is None or whole is None else f"{_psnr(image, whole):.0f}"
            print(f"| {name} | {share:.2%} | {outcome} | {closeness} |")


def photo(width: int, height: int) -> Image.Image:
    """Noise with the spectrum of photos."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1
    noise = rng.normal(size=(3, 2, *frequency.shape))
    waves = np.fft.irfft2((noise[:, 0] + 1j * noise[:, 1]) / frequency, (height, width))
    pixels = (128 + 50 * waves / waves.std()).clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.moveaxis(pixels, 0, -1))


def _outcome(payload: bytes) -> tuple[str, DecodedImage | None]:
    try:
        image = decode_image(payload, short_side=256, max_aspect_ratio=3, max_megapixels=100)
    except BrokenImageError as error:
        return error.problem.words, None
    return image.problem.words if image.problem else "read", image


def _psnr(image: DecodedImage, whole: DecodedImage) -> float:
    error = float(np.mean((image.pixels.astype(float) - whole.pixels) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _peak() -> int:
    """The most memory that this process has taken so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


if __name__ == "__main__":
    main()
