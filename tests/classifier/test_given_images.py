"""Ways to give an image to `predict`: each is answered, or a problem of its row."""

from __future__ import annotations

import io
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image, ImageOps

from multimodal_sentiment.classifier.given_images import take_image
from multimodal_sentiment.layouts.files.local import LARGEST

from ..small_model import photo

PNG = io.BytesIO()
photo(0, 60, 80).save(PNG, "PNG")
BYTES = PNG.getvalue()
GREY = np.full((40, 30), 90, np.uint8)


def big() -> Image.Image:
    return Image.new("1", (20_000, 20_000))


def closed() -> io.BytesIO:
    file = io.BytesIO(BYTES)
    file.close()
    return file


MOVING = ("GIF", "PNG", "WEBP", "TIFF")


class Raises:
    def __array__(self, *_, **__):
        raise RuntimeError("first\nsecond")


def unread(reason: str) -> str:
    return f"image unreadable: {reason}"


def in_file(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


TURNED = {"save_all": True, "append_images": [photo(1, 60, 80)]}
SIXTEEN = Image.fromarray((np.arange(4800).reshape(60, 80) * 13).astype(np.uint16))

IMAGES = {
    "animated": ([in_file(photo(0, 60, 80), kind, **TURNED) for kind in MOVING], [""] * 4),
    "16 bits": ([in_file(SIXTEEN, "PNG"), SIXTEEN], [""] * 2),
    "palette, transparent": ([in_file(photo(0, 60, 80).convert("RGBA").quantize(8), "PNG")], [""]),
    "a JPEG in CMYK": ([in_file(photo(0, 60, 80).convert("CMYK"), "JPEG")], [""]),
    "one pixel": ([Image.new("RGB", (1, 1)), Image.new("RGB", (5000, 1))], [""] * 2),
    "no pixel": ([Image.new("RGB", (0, 5))], [unread("cannot write empty image")]),
    "as data sets have them": (
        [{"bytes": BYTES, "path": None}, {"bytes": None, "path": None}, {"url": "a"}],
        ["", "no image", unread("dict is no image")],
    ),
    "Arrow's structures": (pa.array([{"bytes": BYTES, "path": "a.png"}, None]), ["", "no image"]),
    "Arrow's bytes": (pa.array([BYTES, None], pa.large_binary()), ["", "no image"]),
    "a tensor of a network": (
        torch.rand(1, 3, 40, 40),
        [
            unread(
                "an array of float32 and shape (3, 40, 40): give uint8 of shape (height, width, 3)"
            )
        ],
    ),
    "read backwards": ([np.zeros((50, 40, 3), np.uint8)[::2, ::-1]], [""]),
    "a closed file": ([closed()], [unread("I/O operation on closed file.")]),
    "bytes": ([BYTES, bytearray(BYTES), memoryview(BYTES)], [""] * 3),
    "open file, twice": ([PNG, PNG], [""] * 2),
    "Pillow": ([photo(0, 60, 80)], [""]),
    "modes": (
        [photo(0, 60, 80).convert(mode) for mode in "1 L LA P RGBA CMYK HSV".split()],
        [""] * 7,
    ),
    "modes of numbers": (
        [Image.fromarray(GREY).convert(mode) for mode in ("I", "F", "I;16")],
        [""] * 3,
    ),
    "arrays": (
        [GREY, GREY[:, :, None], np.stack([GREY] * 3, -1), np.stack([GREY] * 4, -1)],
        [""] * 4,
    ),
    "an array of images": (np.zeros((2, 40, 40, 3), np.uint8), [""] * 2),
    "tensor": (torch.zeros(2, 40, 40, 3, dtype=torch.uint8), [""] * 2),
    "other arrays": (
        [GREY / 255, np.zeros((3, 40, 40), np.uint8), np.zeros((0, 0, 3), np.uint8)],
        [
            unread(f"an array of {what}: give uint8 of shape (height, width, 3)")
            for what in (
                "float64 and shape (40, 30)",
                "uint8 and shape (3, 40, 40)",
                "uint8 and shape (0, 0, 3)",
            )
        ],
    ),
    "missing": ([None, np.nan, pd.NA, ""], ["no image"] * 4),
    "links": (["https://example.org/a.jpg"], [unread("links are not followed: fetch it first")]),
    "no file": (
        ["nowhere.jpg", "a\0b", "/"],
        [unread(x) for x in ("No such file or directory", "embedded null byte", "not a file")],
    ),
    "no image": ([5, Raises()], [unread("int is no image"), unread("first second")]),
    "as text": ([io.StringIO("x")], [unread("a file that is open as text: open it with mode rb")]),
    "broken": (
        [b"", b"JFIF", BYTES[:-30]],
        [
            "image broken: empty file",
            "image broken: not a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF",
            "image broken: truncated",
        ],
    ),
    "a bomb": ([big()], ["image broken: claims over 100 megapixels"]),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images(classifier, name):
    images, problems = IMAGES[name]

    answers = classifier.predict(images=images)

    assert [said.removeprefix("no text").removeprefix("; ") for said in answers["problems"]] == (
        problems
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "L", "I;16", "CMYK", "F", "HSV"])
def test_an_image_whose_file_would_be_too_large_is_halved(mode, monkeypatch):
    image = SIXTEEN if mode == "I;16" else photo(0, 60, 80).convert(mode)
    image.getexif()[274] = 6
    monkeypatch.setitem(LARGEST, "image", 4700)  # bytes; one a pixel are 4,800

    payload = take_image(image, 100)

    with Image.open(io.BytesIO(payload)) as halved:
        assert ImageOps.exif_transpose(halved).size == (30, 40)


def test_a_photo_in_memory_may_be_as_large_as_one_in_a_file(classifier, monkeypatch):
    monkeypatch.setitem(LARGEST, "image", 3_000_000)
    large = photo(0, 1000, 1200)  # 3.6 MB as they are in memory

    answers = classifier.predict(images=[large, np.asarray(large), in_file(large, "JPEG")])

    assert list(answers["problems"]) == ["no text"] * 3
    assert answers["p_good"].to_list() == pytest.approx([answers["p_good"][2]] * 3, abs=0.01)


def test_what_has_no_end_is_not_read(classifier, tmp_path):
    os.mkfifo(tmp_path / "fifo")

    said = classifier.predict(images=[tmp_path / "fifo", "/dev/zero", tmp_path])["problems"]

    assert set(said) == {"no text; image unreadable: not a file"}


def test_one_missing_file_costs_the_others_nothing(classifier, photos, tmp_path):
    images = [photos[0], tmp_path / "nowhere.jpg", photos[2]]
    answers = classifier.predict(["a", "b", "c"], images)

    alone = classifier.predict(["a", "c"], [photos[0], photos[2]])
    np.testing.assert_allclose(answers["p_good"][[0, 2]], alone["p_good"], atol=1e-5)


def test_the_first_frame_of_what_moves_is_seen(classifier):
    files = [in_file(photo(0, 60, 80), kind, **TURNED) for kind in ("PNG", "TIFF")]

    alone, *first, other = classifier.predict(images=[BYTES, *files, photo(1, 60, 80)])["p_good"]

    assert first == pytest.approx([alone] * 2, abs=1e-6)
    assert other != pytest.approx(alone, abs=1e-6)
