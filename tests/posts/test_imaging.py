"""What comes out of image files, whole, odd and broken."""

from __future__ import annotations

import io
import struct
import sys
import zlib

import imagehash
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageFile

from multimodal_sentiment.posts.imaging import (
    BrokenImageError,
    DecodedImage,
    claimed_megapixels,
    decode_image,
    pack,
    unpack,
)
from multimodal_sentiment.posts.problems import problem

from ..pictures import encoded, png_that_claims, scene

# Pillow's warnings about what the tests break on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF"]


def decode(
    payload: bytes,
    short_side: int = 64,
    max_aspect_ratio: float = 3.0,
    max_megapixels: float = 20,
) -> DecodedImage:
    return decode_image(
        payload,
        short_side=short_side,
        max_aspect_ratio=max_aspect_ratio,
        max_megapixels=max_megapixels,
    )


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_an_image_claims_is_known_without_decoding_it(kind):
    image = encoded(Image.new("RGB", (500, 400)), kind)

    assert claimed_megapixels(image) == 0.2
    if kind == "PNG":  # cut, and one that nobody would decode
        assert claimed_megapixels(image[:-20]) == 0.2
        vast = image[:16] + struct.pack(">II", 60_000, 60_000) + image[24:29]
        checksum = struct.pack(">I", zlib.crc32(vast[12:]))
        assert claimed_megapixels(vast + checksum + image[33:]) == float("inf")
    assert claimed_megapixels(b"no image") == 0


def assert_close(one: np.ndarray, other: np.ndarray, levels: float = 1.0) -> None:
    assert one.shape == other.shape
    assert np.abs(one.astype(float) - other.astype(float)).max() <= levels


class TestFormats:
    @pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
    def test_lossless_formats_come_out_as_they_went_in(self, kind: str) -> None:
        assert_close(decode(encoded(scene(), kind)).pixels, np.asarray(scene()), 0)

    @pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "GIF"])
    def test_lossy_formats_come_out_similar(self, kind: str) -> None:
        assert psnr(decode(encoded(scene(), kind)).pixels, np.asarray(scene())) > 25

    def test_grey_becomes_three_equal_channels(self) -> None:
        grey = scene().convert("L")
        pixels = decode(encoded(grey)).pixels
        assert_close(pixels, np.repeat(np.asarray(grey)[..., None], 3, -1), 0)

    def test_black_and_white_becomes_black_and_white(self) -> None:
        pixels = decode(encoded(scene().convert("1"))).pixels
        assert set(np.unique(pixels)) == {0, 255}

    def test_palette_gives_its_colours(self) -> None:
        palette = scene().quantize(16)
        assert_close(decode(encoded(palette)).pixels, np.asarray(palette.convert("RGB")), 0)

    def test_cmyk_gives_its_colours(self) -> None:
        cmyk = Image.new("CMYK", (20, 20), (0, 255, 255, 0))  # no cyan, all magenta and yellow: red
        pixels = decode(encoded(cmyk, "JPEG", quality=95)).pixels
        assert_close(pixels, np.full((20, 20, 3), (255, 0, 0)), 3)

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_sixteen_bits_keep_their_brightness(self, kind: str) -> None:
        levels = np.linspace(0, 65535, 30 * 30).reshape(30, 30).astype(np.uint16)
        pixels = decode(encoded(Image.fromarray(levels), kind)).pixels
        assert_close(pixels[..., 0], levels / 257, 1)

    def test_floats_are_stretched_between_their_extremes(self) -> None:
        levels = np.linspace(-2, 6, 30 * 30, dtype=np.float32).reshape(30, 30)
        pixels = decode(encoded(Image.fromarray(levels), "TIFF")).pixels
        assert_close(pixels[..., 1], (levels + 2) / 8 * 255, 1)

    def test_transparency_shows_white(self) -> None:
        image = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
        image.paste((0, 0, 255, 255), (0, 0, 10, 20))
        image.paste((0, 0, 0, 128), (0, 0, 10, 10))
        pixels = decode(encoded(image)).pixels
        assert pixels[15, 15].tolist() == [255, 255, 255]
        assert pixels[15, 5].tolist() == [0, 0, 255]
        assert_close(pixels[5, 5], np.array([127, 127, 127]))

    def test_a_transparent_palette_colour_shows_white(self) -> None:
        image = Image.new("P", (20, 20), 0)
        image.putpalette([255, 0, 0, 0, 255, 0])
        image.paste(1, (0, 0, 10, 20))
        pixels = decode(encoded(image, "GIF", transparency=0)).pixels
        assert pixels[5, 15].tolist() == [255, 255, 255]
        assert pixels[5, 5].tolist() == [0, 255, 0]

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF", "PNG", "TIFF"])
    def test_an_animation_shows_its_first_frame(self, kind: str) -> None:
        first, second = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "blue")
        options = {"lossless": True} if kind == "WEBP" else {}
        payload = encoded(first, kind, save_all=True, append_images=[second], **options)
        assert_close(decode(payload).pixels[10, 10], np.array([255, 0, 0]), 2)

    @pytest.mark.fault("image", "every EXIF orientation in five formats", "upright to the pixel")
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP", "AVIF"])
    def test_a_turned_image_is_turned_upright(self, kind: str, orientation: int) -> None:
        undo = {  # by the EXIF standard: where row 0 and column 0 of what is stored belong
            1: lambda a: a,
            2: lambda a: a[:, ::-1],
            3: lambda a: a[::-1, ::-1],
            4: lambda a: a[::-1],
            5: lambda a: a.transpose(1, 0, 2),
            6: lambda a: a.transpose(1, 0, 2)[:, ::-1],
            7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
            8: lambda a: a.transpose(1, 0, 2)[::-1],
        }[orientation]
        exif = Image.Exif()
        exif[0x0112] = orientation
        payload = encoded(scene(), kind, exif=exif)
        upright = undo(np.asarray(Image.open(io.BytesIO(encoded(scene(), kind))).convert("RGB")))
        picture = decode(payload)
        assert_close(picture.pixels, upright, 0)
        assert (picture.original_height, picture.original_width) == upright.shape[:2]

    def test_damaged_metadata_does_not_lose_the_picture(self) -> None:
        payload = encoded(scene(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff\x01\x00")
        assert decode(payload).pixels.shape == (40, 60, 3)


class TestHeic:
    HEADER = b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf"

    def test_it_is_read_where_its_library_is_installed(self) -> None:
        pillow_heif.register_heif_opener()
        image = scene()
        decoded = decode(encoded(image, "HEIF", quality=95))
        assert psnr(decoded.pixels, np.asarray(image)) > 25  # as a JPEG of it has
        with pytest.raises(BrokenImageError):
            decode(self.HEADER)

    def test_without_it_a_problem_names_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as if it were not installed
        with pytest.raises(BrokenImageError, match=r"HEIC: reading it needs the extra \[heic\]"):
            decode(self.HEADER)

    def test_what_is_called_so_and_is_avif_needs_no_extra(self) -> None:
        avif = encoded(scene(), "AVIF")
        assert b"mif1" in avif[:64]
        assert decode(avif).pixels.shape == (40, 60, 3)


class TestBounds:
    def test_a_smaller_image_is_not_enlarged(self) -> None:
        assert decode(encoded(scene(60, 40)), short_side=41).pixels.shape == (40, 60, 3)

    @pytest.mark.parametrize("size", [(300, 200), (200, 300), (256, 256), (301, 199)])
    def test_a_larger_one_is_reduced_as_torchvision_does(self, size: tuple[int, int]) -> None:
        transforms = pytest.importorskip("torchvision.transforms")
        image = scene(*size)
        expected = np.asarray(transforms.Resize(64)(image))
        assert_close(decode(encoded(image)).pixels, expected, 0)

    @pytest.mark.parametrize(("width", "height"), [(500, 50), (50, 500), (151, 50)])
    def test_a_long_image_is_cut_about_its_centre(self, width: int, height: int) -> None:
        image = Image.new("RGB", (width, height), "red")
        centre = (width // 2 - 20, height // 2 - 20, width // 2 + 20, height // 2 + 20)
        image.paste("lime", centre)
        picture = decode(encoded(image), short_side=50)
        assert sorted(picture.pixels.shape[:2]) == [50, 150]
        assert (picture.original_height, picture.original_width) == (height, width)
        rows, columns = np.nonzero(picture.pixels[..., 1] > 128)
        assert abs(rows.mean() - (picture.pixels.shape[0] - 1) / 2) <= 0.5
        assert abs(columns.mean() - (picture.pixels.shape[1] - 1) / 2) <= 0.5

    @pytest.mark.fault("image", "1x1, 60000x3, 3x60000, 1x500", "a bounded picture")
    @pytest.mark.parametrize(
        ("size", "shape"),
        [((1, 1), (1, 1)), ((60_000, 3), (3, 9)), ((3, 60_000), (9, 3)), ((1, 500), (3, 1))],
    )
    def test_extreme_sizes_work(self, size: tuple[int, int], shape: tuple[int, int]) -> None:
        picture = decode(encoded(Image.new("RGB", size, "teal")))
        assert picture.pixels.shape == (*shape, 3)
        assert picture.pixels[0, 0].tolist() == [0, 128, 128]

    def test_a_square_is_all_that_is_kept_at_ratio_one(self) -> None:
        picture = decode(encoded(scene(99, 40)), short_side=40, max_aspect_ratio=1)
        assert picture.pixels.shape == (40, 40, 3)

    def test_the_fast_way_for_large_jpegs_changes_less_than_a_jpeg_does(self) -> None:
        rng = np.random.default_rng(0)  # a picture with the spectrum of photos
        frequency = np.hypot(np.fft.fftfreq(800)[:, None], np.fft.rfftfreq(1200)[None])
        frequency[0, 0] = 1
        noise = rng.normal(size=(3, 2, *frequency.shape))
        waves = np.fft.irfft2((noise[:, 0] + 1j * noise[:, 1]) / frequency, (800, 1200))
        pixels = (128 + 50 * waves / waves.std()).clip(0, 255).astype(np.uint8)
        payload = encoded(Image.fromarray(np.moveaxis(pixels, 0, -1)), "JPEG", quality=92)
        full = Image.open(io.BytesIO(payload)).resize((96, 64), Image.Resampling.BILINEAR)
        saved = np.asarray(Image.open(io.BytesIO(encoded(full, "JPEG", quality=90))))
        picture = decode(payload, short_side=64)
        assert psnr(saved, np.asarray(full)) < 30
        assert 50 < psnr(picture.pixels, np.asarray(full)) < float("inf")  # inf: the slow way
        assert (picture.original_height, picture.original_width) == (800, 1200)


class TestBroken:
    @pytest.mark.fault("image", "words, HTML, PDF, NULs, nothing", "a few words that say so")
    @pytest.mark.parametrize(
        ("payload", "reason"),
        [
            (b"", "empty file"),
            (b"just words", "not a JPEG"),
            (b"<!DOCTYPE html><html><body>404</body></html>", "not a JPEG"),
            (b"\xff\xd8\xff", "not a JPEG"),
            (b"\0" * 5000, "not a JPEG"),
            (b"%PDF-1.4", "not a JPEG"),
        ],
    )
    def test_what_is_no_image_is_named(self, payload: bytes, reason: str) -> None:
        with pytest.raises(BrokenImageError, match=reason):
            decode(payload)

    def test_other_formats_are_not_even_tried(self) -> None:
        with pytest.raises(BrokenImageError, match="not a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF"):
            decode(encoded(scene(), "PPM"))

    @pytest.mark.fault("image", "claims of up to 10 gigapixels", "refused before decoding")
    @pytest.mark.parametrize("size", [(5000, 5000), (100_000, 100_000), (2**31 - 1, 1)])
    def test_what_claims_too_much_is_refused_before_decoding(self, size: tuple[int, int]) -> None:
        with pytest.raises(BrokenImageError, match="claims over 20 megapixels"):
            decode(png_that_claims(*size))

    @pytest.mark.fault("image", "cut at every byte", "broken, whole to the pixel, or named as cut")
    @pytest.mark.parametrize("kind", FORMATS)
    def test_an_image_cut_anywhere_is_broken_or_still_whole(self, kind: str) -> None:
        payload = encoded(scene(31, 23), kind)
        whole = decode(payload).pixels
        outcomes = {"broken": 0, "whole": 0, "cut": 0}
        for length in range(len(payload)):
            try:
                picture = decode(payload[:length])
            except BrokenImageError:
                outcomes["broken"] += 1
                continue
            if picture.problem is None:
                assert_close(picture.pixels, whole, 0)
                outcomes["whole"] += 1
            else:
                assert kind == "JPEG" and picture.problem == problem("image_cut", 23, 23)
                outcomes["cut"] += 1
        assert outcomes["broken"] > 0.7 * len(payload)

    def test_damaged_bytes_never_escape_as_another_error(self) -> None:
        rng = np.random.default_rng(0)
        for kind in FORMATS:
            payload = np.frombuffer(encoded(scene(31, 23), kind), np.uint8)
            for _ in range(150):
                damaged = payload.copy()
                at = rng.integers(0, len(damaged), rng.integers(1, 6))
                damaged[at] = rng.integers(0, 256, len(at))
                try:
                    picture = decode(damaged.tobytes())
                except BrokenImageError as error:
                    assert "\n" not in str(error)
                else:
                    assert picture.pixels.dtype == np.uint8

    def test_a_reason_is_short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError("one; two\nthree " + "x" * 1000)

        monkeypatch.setattr(Image, "open", fail)
        with pytest.raises(BrokenImageError) as caught:
            decode(b"anything")
        assert str(caught.value).startswith("one; two three xxx")
        assert len(str(caught.value)) == 80

    def test_a_machine_short_of_memory_does_not_make_an_image_broken(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise MemoryError

        monkeypatch.setattr(Image.Image, "convert", fail)
        with pytest.raises(MemoryError):
            decode(encoded(scene()))


def photo(width: int, height: int) -> Image.Image:
    """A picture of which no row is of one colour."""
    rng = np.random.default_rng(0)
    patches = rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    return Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)


def rows_decoded(payload: bytes) -> int:
    """The last row that an independent decoder finds in a cut JPEG, by Pillow's own switch."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        pixels = np.asarray(Image.open(io.BytesIO(payload)))
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    levels = pixels.reshape(len(pixels), -1).astype(int)
    rows = (abs(levels - 128) > 1).any(axis=1)
    return int(np.flatnonzero(rows)[-1]) + 1 if rows.any() else 0


class TestCutJpegs:
    @pytest.mark.fault(
        "image", "a JPEG cut near its end", "its picture if 99% of the rows are there, and named"
    )
    @pytest.mark.parametrize("share", [0.9999, 0.999, 0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.5, 0.1])
    @pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
    def test_it_is_kept_where_99_percent_of_its_rows_are_there(
        self, mode: str, share: float
    ) -> None:
        payload = encoded(photo(320, 400).convert(mode), "JPEG", quality=88)
        whole = decode(payload, short_side=320).pixels
        cut = payload[: int(len(payload) * share)]
        rows = rows_decoded(cut)
        if rows < 0.99 * 400:
            with pytest.raises(BrokenImageError, match=r"^truncated$"):
                decode(cut)
            assert share < 0.99
        else:
            picture = decode(cut, short_side=320)
            assert picture.problem == problem("image_cut", rows, 400)
            assert_close(picture.pixels[:380], whole[:380], 0)  # but for the last blocks
            assert share > 0.95

    def test_one_that_lacks_only_the_mark_of_its_end_is_whole(self) -> None:
        payload = encoded(photo(320, 400), "JPEG")
        picture = decode(payload[:-2])
        assert picture.problem == problem("image_cut", 400, 400)
        assert_close(picture.pixels, decode(payload).pixels, 0)

    def test_a_progressive_one_has_all_its_rows_less_sharp(self) -> None:
        payload = encoded(photo(320, 400), "JPEG", progressive=True)
        picture = decode(payload[: len(payload) // 2], short_side=320)
        assert picture.problem == problem("image_cut", 400, 400)
        assert 25 < psnr(picture.pixels, decode(payload, short_side=320).pixels) < 60

    def test_a_progressive_one_may_be_cut_within_a_table(self) -> None:
        payload = encoded(photo(320, 400), "JPEG", progressive=True)
        table = payload.rindex(b"\xff\xc4")  # of the last scan
        for end in (table + 1, table + 2, table + 3, table + 9):
            assert decode(payload[:end]).problem == problem("image_cut", 400, 400)

    def test_a_large_one_that_is_cut_is_bounded_all_the_same(self) -> None:
        payload = encoded(photo(1600, 1200), "JPEG")
        picture = decode(payload[:-20])
        assert picture.problem == problem("image_cut", 1200, 1200)
        assert picture.pixels.shape == (64, 85, 3)


class TestPerceptualHash:
    def test_it_is_the_librarys(self) -> None:
        assert decode(encoded(scene())).perceptual_hash == str(imagehash.phash(scene()))

    @pytest.mark.parametrize("kind", ["BMP", "TIFF", "WEBP"])
    def test_a_copy_in_another_format_shares_it(self, kind: str) -> None:
        options = {"lossless": True} if kind == "WEBP" else {}
        copy = encoded(scene(), kind, **options)
        assert decode(copy).perceptual_hash == decode(encoded(scene())).perceptual_hash

    def test_another_picture_has_another(self) -> None:
        turned = scene().transpose(Image.Transpose.ROTATE_90)
        assert decode(encoded(turned)).perceptual_hash != decode(encoded(scene())).perceptual_hash

    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    @pytest.mark.parametrize("colour", ["black", "white", "teal"])
    def test_a_blank_image_has_none(self, colour: str, kind: str) -> None:
        assert decode(encoded(Image.new("RGB", (50, 40), colour), kind)).perceptual_hash == ""


class TestStorage:
    def test_pixels_come_back_as_they_were(self) -> None:
        picture = decode(encoded(scene()))
        stored = pack(picture, "pixels")
        assert len(stored) == 40 * 60 * 3
        assert_close(unpack(stored, "pixels", 40, 60), picture.pixels, 0)

    def test_a_jpeg_comes_back_similar_and_smaller(self) -> None:
        picture = decode(encoded(scene()))
        stored = pack(picture, "jpeg")
        assert len(stored) < 40 * 60
        assert psnr(unpack(stored, "jpeg", 40, 60), picture.pixels) > 25
