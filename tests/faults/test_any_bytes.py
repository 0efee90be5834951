"""Whatever bytes come, what comes out is a text, a list, a picture, or one line of refusal.

`FAULTS_EXAMPLES=4000 pytest tests/faults/test_any_bytes.py` tries 4,000 inputs a test, 16,000 in
all; by default it is a hundred each.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError
from PIL import Image

from multimodal_sentiment.datasets import PostListingDataset
from multimodal_sentiment.decoding import read_source
from multimodal_sentiment.posts.imaging import BrokenImageError, decode_image
from multimodal_sentiment.posts.problems import read_problems

pytestmark = [
    pytest.mark.filterwarnings("error::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),  # Pillow tells of oddities
]

EXAMPLES = int(os.environ.get("FAULTS_EXAMPLES", "100"))
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 100,  # the same ones in every run of the tests
    database=None,
    suppress_health_check=list(HealthCheck),
)

ENCODINGS = [
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "big5hkscs",
    "cp932", "euc_jp", "cp949", "cp1252", "cp1251", "koi8-u", "iso2022_jp", "hz", "utf-7",
]  # fmt: skip
FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF"]
SIGNS = [
    b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*",
    b"RIFF\x40\0\0\0WEBPVP8 ", b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0",
    b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", b"\xff\xd8\xff\xe1\x12\x34Exif\0\0II*\0",
]  # fmt: skip
MODES = ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I;16", "F"]


@st.composite
def damaged(draw: st.DrawFn, sound: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of which some are others, or missing, or there twice."""
    payload = draw(sound)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(payload)))
        end = draw(st.integers(at, min(len(payload), at + 40)))
        payload = payload[:at] + draw(st.binary(max_size=8)) + payload[end:]
    return payload[: draw(st.one_of(st.none(), st.integers(0, len(payload))))]


written = st.builds(
    lambda text, encoding: text.encode(encoding, "replace"),
    st.text(max_size=60),
    st.sampled_from(ENCODINGS),
)
payloads = st.one_of(st.binary(max_size=80), written, damaged(written))
cells = st.one_of(
    st.sampled_from(["guid", "tag", "positive", "null", '"', "007", " ", "\0", "\ufeff", "=1"]),
    st.text(max_size=8),
)
listings = st.builds(
    lambda rows, separator, end, encoding: end.join(map(separator.join, rows)).encode(
        encoding, "replace"
    ),
    st.lists(st.lists(cells, max_size=4), max_size=8),
    st.sampled_from([",", ";", "\t", ", "]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    st.sampled_from(ENCODINGS),
)


@st.composite
def images(draw: st.DrawFn) -> bytes:
    """An image file of any kind, size and mode."""
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    kind, mode = draw(st.sampled_from(FORMATS)), draw(st.sampled_from(MODES))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    image = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 2**16, (height, width), np.uint16))
    elif mode == "F":
        image = Image.fromarray(rng.normal(size=(height, width)).astype(np.float32))
    else:
        image = image.convert(mode)
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind)
    except (OSError, ValueError):  # not every format has every mode
        image.convert("RGB").save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.fault("text", "any bytes, of any encoding, damaged anyhow", "a text to write down")
@many
@given(st.lists(payloads, min_size=1, max_size=4))
def test_any_bytes_are_read_as_texts(posts: list[bytes]) -> None:
    readings, _ = read_source(posts)
    assert len(readings) == len(posts)
    for payload, reading in zip(posts, readings, strict=True):
        reading.text.encode("utf-8")
        assert 0 <= reading.confidence <= 1
        problems = read_problems(reading.problem)
        assert "noted" not in [problem.code for problem in problems]
        if "bytes_undecodable" in [problem.code for problem in problems]:
            continue
        if reading.encoding not in ("", "cesu-8"):  # Python has no codec for CESU-8
            assert payload.decode(reading.encoding) == reading.text


@pytest.mark.fault("listing", "any bytes, damaged anyhow", "rows with guids, or one line")
@many
@given(st.one_of(st.binary(max_size=60), listings, damaged(listings)))
def test_any_bytes_are_a_listing_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, payload: bytes
) -> None:
    path = _listing(tmp_path_factory)
    path.write_bytes(payload)
    try:
        listing = PostListingDataset(path=str(path.parent), namespace="labelled").load()
    except DatasetError as error:
        assert len(str(error).splitlines()) == 1
        assert len(str(error)) < 500 + len(str(path))
    else:
        assert all(guid and guid == guid.strip() for guid in listing["guid"])
        assert not listing["tag"].isna().any()


@pytest.mark.fault("image", "any image, damaged anyhow", "a bounded picture, or a broken one")
@many
@given(damaged(images()))
def test_damaged_images_are_pictures_or_broken(payload: bytes) -> None:
    _decode(payload)


@pytest.mark.fault("image", "any bytes behind the signs of an image", "the same")
@many
@given(
    st.sampled_from(SIGNS),
    st.binary(max_size=120),
)
def test_any_bytes_are_a_picture_or_broken(sign: bytes, rest: bytes) -> None:
    _decode(sign + rest)


def _decode(payload: bytes) -> None:
    try:
        picture = decode_image(payload, short_side=32, max_aspect_ratio=3.0, max_megapixels=1)
    except BrokenImageError as error:
        assert "\n" not in str(error) and len(str(error)) <= 80
    else:
        height, width, channels = picture.pixels.shape
        assert channels == 3
        assert 1 <= min(height, width) and max(height, width) <= 3 * min(height, width, 32) + 3
        assert len(picture.perceptual_hash) in (0, 16)


_LISTING: dict[str, Path] = {}


def _listing(factory: pytest.TempPathFactory) -> Path:
    if "path" not in _LISTING:
        _LISTING["path"] = factory.mktemp("listing") / "train.txt"
    return _LISTING["path"]
