"""Faults of single posts: what is put in place of a text, an image or a guid."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ..pictures import chunk, encoded, patches, picture, png_that_claims

OUTSIDE = "the secret outside of the folder"

Maker = Callable[[Path], object]  # is given the path without its suffix


class Fault(NamedTuple):
    """What lies in place of a post's text or image, and what must come of it.

    Attributes:
        put: The file's bytes; or what makes something of another kind; None for nothing.
        problem: Must stand in `problems`, put into words; None: anything, but not nothing.
        reads: The post's text; None: whatever can be written down. Of images: whether there is one.
        suffix: Of the file.
    """

    put: bytes | Maker | None
    problem: str | None = ""
    reads: Any = None
    suffix: str = ""


def photo(seed: int) -> bytes:
    """A picture of its own, so that its post has no twin."""
    return encoded(patches(seed), "JPEG")


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture(), "JPEG", exif=exif)


def hole(size: int, suffix: str) -> Maker:
    """A file that is as large as it says and takes no space."""

    def make(stem: Path) -> None:
        with stem.with_name(stem.name + suffix).open("wb") as file:
            file.truncate(size)

    return make


def folder(suffix: str) -> Maker:
    return lambda stem: stem.with_name(stem.name + suffix).mkdir()


def pipe(suffix: str) -> Maker:
    return lambda stem: os.mkfifo(stem.with_name(stem.name + suffix))


def link(suffix: str, target: str) -> Maker:
    return lambda stem: stem.with_name(stem.name + suffix).symlink_to(target)


def two(first: bytes, first_suffix: str, second: bytes, second_suffix: str) -> Maker:
    def make(stem: Path) -> None:
        stem.with_name(stem.name + first_suffix).write_bytes(first)
        stem.with_name(stem.name + second_suffix).write_bytes(second)

    return make


def same(text: str, problem: str = "", encoding: str = "utf-8") -> Fault:
    """A text that must come back as it went in."""
    return Fault(text.encode(encoding), problem, text)


def some(payload: bytes, suffix: str = ".jpg") -> Fault:
    """An image that can be seen."""
    return Fault(payload, "", True, suffix)


def broken(payload: bytes | Maker, problem: str, suffix: str = ".jpg") -> Fault:
    """An image that cannot."""
    return Fault(payload, problem, False, suffix)


_LINES = "one\ntwo\r\nthree\rfour"
_UTF8 = "Schöne Grüße aus Köln, 今天天气很好。"  # in no other encoding a text
_JPEG, _PNG, _WEBP, _AVIF = (encoded(picture(), kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF"))
_PROGRESSIVE = encoded(picture(), "JPEG", progressive=True)
_FRAMES = [picture(), Image.new("RGB", (60, 40), "blue")]
_NO_IMAGE = "not a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF"


def _with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG with a chunk before its pixels."""
    return _PNG[:33] + chunk(kind, data) + _PNG[33:]


TEXTS: dict[str, Fault] = {
    "missing": Fault(None, "no text", ""),
    "empty": Fault(b"", "empty text", ""),
    "only spaces": same("  \t \n ", "empty text"),
    "one byte": same("a"),
    "one byte that is no ASCII": Fault(b"\xe9", None),
    "50 MB": Fault(hole(50_000_000, ".txt"), "text too large: 50.0 MB, at most 1 MB", ""),
    "the largest that is read": same("word " * 209_715),
    "a NUL within": same("a nul\0within a sentence of plain words", "control characters"),
    "nothing but NULs": same("\0\0\0\0", "control characters"),
    "UTF-16 with a mark": Fault("Schöne Grüße".encode("utf-16"), "", "Schöne Grüße"),
    "big-endian UTF-16 with a mark": Fault(
        b"\xfe\xff" + "Schöne Grüße".encode("utf-16-be"), "", "Schöne Grüße"
    ),
    "UTF-16 without a mark": same("Good morning to you", "", "utf-16-le"),
    "big-endian UTF-16 without a mark": same("Good morning to you", "", "utf-16-be"),
    "UTF-32": Fault("Schöne Grüße".encode("utf-32"), "", "Schöne Grüße"),
    "UTF-8 with a mark": Fault(b"\xef\xbb\xbf" + "Schöne Grüße".encode(), "", "Schöne Grüße"),
    "a lone surrogate in UTF-8": Fault(b"grim \xed\xa0\x80 day"),
    "a lone surrogate in UTF-16": Fault(b"\xff\xfea\0\x00\xd8b\0", "undecodable bytes spelled out"),
    "unassigned code points": same(f"{_UTF8} \u0378 {_UTF8} \U000e0fff"),
    "noncharacters": same(f"{_UTF8} \ufffe {_UTF8} \uffff"),
    "right-to-left marks": same("\u202egnp.exe\u202c"),
    "marks that stack up": same(_UTF8 + "\u0335\u0321" * 10 + _UTF8),
    "joined emoji": same("👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈"),
    "lines of all kinds": same(_LINES),
    "a lone carriage return": same("\r", "empty text"),
    "line separators": same(f"{_UTF8}\u2028b\u2029c {_UTF8}\x85d"),
    "end of file in the middle": same("a\x1ab", "control characters"),
    "one quote": same('"'),
    "quotes and commas": same('a "quoted", ""doubly"" b","c'),
    "a row of its own": same('x"\n"007","y","positive"'),
    "backslashes": same('\\" \\n \\'),
    "NA": same("NA"),
    "null": same("null"),
    "None": same("None"),
    "nan": same("nan"),
    "#N/A": same("#N/A"),
    "a number": same("007"),
    "a power of ten": same("1e5"),
    "a formula": same("=cmd|' /C calc'!A0"),
    "a formula by @": same("@SUM(1+1)*cmd"),
    "HTML": same("<script>alert(1)</script></td><img src=x onerror=alert(1)>"),
    "console markup": same("[bold red]not bold[/] [link=x]"),
    "a template": same("{{7*7}} ${HOME} %s %(x)d"),
    "a character cut in two": Fault("Grüße 😀".encode()[:-2], None),
    "every byte there is": Fault(bytes(range(256)), None),
    "a folder in its place": Fault(folder(".txt"), "text is a folder or no regular file", ""),
    "a link in its place": Fault(
        link(".txt", "../secret.txt"), "text lies outside of the folder", ""
    ),
    "a link to nothing": Fault(link(".txt", "nowhere"), "text is a link that leads nowhere", ""),
    "a pipe in its place": Fault(pipe(".txt"), "text is a folder or no regular file", ""),
    "two text files": Fault(two(b"lower", ".txt", b"upper", ".TXT"), "several texts", "upper"),
}

IMAGES: dict[str, Fault] = {
    "missing": Fault(None, "no image", False),
    "empty": broken(b"", "image broken: empty file"),
    "one byte": broken(b"\xff", _NO_IMAGE),
    "a JPEG cut in half": broken(_JPEG[: len(_JPEG) // 2], "image broken: truncated"),
    "a PNG cut in half": broken(_PNG[: len(_PNG) // 2], "image broken", ".png"),
    "a GIF cut in half": broken(encoded(picture(), "GIF")[:1000], "image broken", ".gif"),
    "a WebP cut in half": broken(_WEBP[: len(_WEBP) // 2], "image broken", ".webp"),
    "a BMP cut in half": broken(encoded(picture(), "BMP")[:3000], "image broken", ".bmp"),
    "a TIFF cut in half": broken(encoded(picture(), "TIFF")[:3000], "image broken", ".tif"),
    "a damaged checksum": broken(
        _PNG[:40] + bytes([_PNG[40] ^ 255]) + _PNG[41:], "image broken", ".png"
    ),
    "a PNG named .jpg": some(_PNG),
    "a JPEG named .png": some(_JPEG, ".png"),
    "a GIF named .jpg": some(encoded(picture(), "GIF")),
    "the suffix .jpeg": some(_JPEG, ".jpeg"),
    "the suffix .JPG": some(_JPEG, ".JPG"),
    "the suffix .PNG": some(_PNG, ".PNG"),
    "the suffix .webp": some(encoded(picture(), "WEBP"), ".webp"),
    "grey": some(encoded(picture(mode="L"), "JPEG")),
    "black and white": some(encoded(picture(mode="1")), ".png"),
    "a palette": some(encoded(picture().quantize(16)), ".png"),
    "CMYK": some(encoded(picture(mode="CMYK"), "JPEG")),
    "16 bit": some(
        encoded(Image.fromarray(np.linspace(0, 65535, 2400).reshape(40, 60).astype(np.uint16))),
        ".png",
    ),
    "floats with holes": some(
        encoded(Image.fromarray(np.full((40, 60), np.nan, np.float32)), "TIFF"), ".tif"
    ),
    "alpha": some(encoded(picture(mode="RGBA")), ".png"),
    "grey with alpha": some(encoded(picture(mode="LA")), ".png"),
    "an animated GIF": some(
        encoded(_FRAMES[0], "GIF", save_all=True, append_images=_FRAMES[1:]), ".gif"
    ),
    "an animated WebP": some(
        encoded(_FRAMES[0], "WEBP", save_all=True, append_images=_FRAMES[1:]), ".webp"
    ),
    "several pages": some(
        encoded(_FRAMES[0], "TIFF", save_all=True, append_images=_FRAMES[1:]), ".tiff"
    ),
    **{f"turned by EXIF {n}": some(turned(n)) for n in (2, 3, 6, 8)},
    "an orientation that is none": some(turned(77)),
    "damaged EXIF": some(encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff\1\0")),
    "a damaged colour profile": some(encoded(picture(), "JPEG", icc_profile=b"no profile")),
    "1x1": some(encoded(picture(1, 1)), ".png"),
    "60000x3": some(encoded(picture(60_000, 3)), ".png"),
    "3x60000": some(encoded(picture(3, 60_000)), ".png"),
    "one colour": some(encoded(Image.new("RGB", (60, 40), "teal")), ".png"),
    "progressive": some(encoded(picture(), "JPEG", progressive=True)),
    "rubbish behind its end": some(_JPEG + b"rubbish" * 100),
    "an AVIF": some(_AVIF, ".avif"),
    "an AVIF named .jpg": some(_AVIF),
    "an AVIF cut in half": broken(_AVIF[: len(_AVIF) // 2], "image broken", ".avif"),
    "the suffix .jfif": some(_JPEG, ".jfif"),
    "the suffix .jpe": some(_JPEG, ".jpe"),
    "a comment of 2 MB": some(_with_chunk(b"zTXt", b"C\0\0" + zlib.compress(bytes(2**21))), ".png"),
    "a colour profile of 2 MB": some(
        _with_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**21))), ".png"
    ),
    "a size cut short": some(_with_chunk(b"pHYs", b"a"), ".png"),
    "a colour profile cut short": some(_JPEG[:2] + b"\xff\xe2\0\x0eICC_PROFILE\0" + _JPEG[2:]),
    "100 segments of EXIF": some(
        _JPEG[:2] + (b"\xff\xe1\x80\x02Exif\0\0" + bytes(0x7FFA)) * 100 + _JPEG[2:]
    ),
    "a JPEG that lacks its last bytes": Fault(_JPEG[:-5], "image cut short", True, ".jpg"),
    "a grey JPEG that lacks its last bytes": Fault(
        encoded(picture(mode="L"), "JPEG")[:-5], "image cut short", True, ".jpg"
    ),
    "a progressive JPEG that lacks its last tenth": Fault(
        _PROGRESSIVE[: len(_PROGRESSIVE) * 9 // 10],
        "image cut short: its data ends in row 40 of 40",
        True,
        ".jpg",
    ),
    "a claim of 10 gigapixels": broken(png_that_claims(100_000, 100_000), "claims over", ".png"),
    "a claim of 2 gigapixels in a line": broken(
        png_that_claims(2**31 - 1, 1), "claims over", ".png"
    ),
    "a bomb of 400 megapixels": broken(
        encoded(Image.new("1", (20_000, 20_000))), "claims over", ".png"
    ),
    "100 MB": broken(hole(110_000_000, ".jpg"), "image too large: 110.0 MB, at most 100 MB"),
    "words": broken(b"just words", _NO_IMAGE),
    "an HTML page of an error": broken(b"<!DOCTYPE html><h1>404 Not Found</h1>", _NO_IMAGE),
    "a vector drawing": broken(b"<svg xmlns='http://www.w3.org/2000/svg'/>", _NO_IMAGE),
    "a PDF": broken(b"%PDF-1.7\n", _NO_IMAGE),
    "an archive": broken(b"PK\x03\x04" + bytes(100), _NO_IMAGE),
    "PostScript": broken(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", _NO_IMAGE),
    "another format": broken(encoded(picture(), "PPM"), _NO_IMAGE),
    "NULs": broken(bytes(5000), _NO_IMAGE),
    "a folder in its place": broken(folder(".jpg"), "image is a folder or no regular file"),
    "a link in its place": broken(
        link(".jpg", "../secret.jpg"), "image lies outside of the folder"
    ),
    "a pipe in its place": broken(pipe(".jpg"), "image is a folder or no regular file"),
    "a JPEG and a PNG": Fault(two(_JPEG, ".jpg", _PNG, ".png"), "several images", True),
    "a broken JPEG and a PNG": Fault(two(b"", ".jpg", _PNG, ".png"), "empty file", False),
}

GUIDS = [
    "007", "1.0", "1e5", "-3", "NA", "null", "None", "True", "with space", "日本語", "a'b", "a,b",
    'a"b', "a;b", "../secret", "/etc/passwd", "C:\\x", "x" * 5000, ".", "..", "=1+1", "@SUM(A1)",
    "<b>bold</b>", "[red]red[/]", "%s", "$HOME", "{x}", "é", "e\u0301",
    "\u202eabc", "12345678901234567890123",
]  # fmt: skip


def put(place: Path, guid: str, text: Fault, image: Fault) -> None:
    """Write a post's files as the faults say."""
    stem = place / guid
    for fault, suffix in ((text, ".txt"), (image, image.suffix)):
        if isinstance(fault.put, bytes):
            stem.with_name(stem.name + suffix).write_bytes(fault.put)
        elif fault.put is not None:
            fault.put(stem)
