"""From the body of a request to its posts.

A post is a text, an image's bytes, or both, as they came. Nothing here opens a path or a link:
what a client names is never looked for.
"""

from __future__ import annotations

import asyncio
import binascii
import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from multimodal_sentiment.posts.imaging import claimed_megapixels
from multimodal_sentiment.posts.metadata import START_OF_JPEG

from .limits import Limits

JSON = "application/json"
MULTIPART = "multipart/form-data"

# What pydantic says in the words of Python.
_SAID = {
    "is_instance_of": "Input should be a valid string",
    "list_type": "Input should be a valid array",
    "model_type": "Input should be an object",
}
# A JPEG is decoded at half of its size or less where it is much larger than what the model sees.
_REDUCED = 0.25


@dataclass(frozen=True)
class GivenPost:
    """A post as a client sent it.

    Attributes:
        text: The text; bytes if they are not UTF-8 or came as a file.
        image: The bytes of an image file.
        decoded_megapixels: The size that it is about to be decoded to.
    """

    text: str | bytes | None
    image: bytes | None
    decoded_megapixels: float = 0.0


class PostBody(BaseModel):
    """A post in JSON."""

    model_config = ConfigDict(extra="forbid")

    text: InstanceOf[str] | None = None  # which may hold half of a surrogate pair
    image: str | None = Field(
        None,
        description="The bytes of a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF file, in base64",
        json_schema_extra={"format": "byte"},
    )


class PostsBody(BaseModel):
    """Posts in JSON."""

    model_config = ConfigDict(extra="forbid")

    posts: list[PostBody] = Field(min_length=1)


# Without references: an operation's body is not where OpenAPI keeps what these point to.
MANY_POSTS = PostsBody.model_json_schema()
MANY_POSTS["properties"]["posts"]["items"] = MANY_POSTS.pop("$defs")["PostBody"]
ONE_POST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "A field in UTF-8, or a file in any encoding"},
        "image": {"type": "string", "format": "binary", "description": "An image file"},
    },
    "additionalProperties": False,
}


async def read_posts(request: Request, limits: Limits) -> list[GivenPost]:
    """Return the posts of a request.

    Raises:
        HTTPException: If its body is compressed or of another type (415), is not what it should be
            (422), or holds too many posts or an image with too many pixels (413).
    """
    if request.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise HTTPException(415, "compressed bodies are not read: send it as it is")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == MULTIPART:
        return await _read_multipart(request, limits)
    if kind == JSON:
        body = await request.body()
        return await asyncio.to_thread(_read_json, body, limits)
    raise HTTPException(
        415, f"the body's type is not known: send one post as {MULTIPART}, or several as {JSON}"
    )


def describe_fault(error: ValidationError) -> str:
    """Return what is wrong with a body in one line, without quoting what it holds."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])).encode(errors="replace").decode()
    said = _SAID.get(first["type"], first["msg"])
    return f"{place}: {said}" if place else said


def _read_json(body: bytes, limits: Limits) -> list[GivenPost]:
    try:
        # Not by pydantic, which refuses halves of surrogate pairs: these are problems of a text.
        posts = PostsBody.model_validate(json.loads(body)).posts
    except ValidationError as error:
        raise HTTPException(422, describe_fault(error)) from None
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, f"Invalid JSON: {error}") from None
    if len(posts) > limits.max_posts:
        raise HTTPException(
            413, f"{len(posts)} posts in a request, of at most {limits.max_posts}: send fewer"
        )
    return [_decode(place, post, limits) for place, post in enumerate(posts)]


def _decode(place: int, post: PostBody, limits: Limits) -> GivenPost:
    where = f"posts.{place}.image"
    if post.image is None:
        return GivenPost(post.text, None)
    try:
        image = binascii.a2b_base64("".join(post.image.split()), strict_mode=True)
    except ValueError:
        raise HTTPException(
            422, f"{where}: not in base64: a path or a link is never opened"
        ) from None
    return _measure(where, post.text, image, limits)


def _measure(where: str, text: str | bytes | None, image: bytes, limits: Limits) -> GivenPost:
    megapixels = claimed_megapixels(image)
    if megapixels > limits.max_megapixels:
        raise HTTPException(
            413,
            f"{where}: claims over {limits.max_megapixels:g} megapixels: send it smaller",
        )
    reduced = image.startswith(START_OF_JPEG)
    return GivenPost(text, image, megapixels * (_REDUCED if reduced else 1))


class _Parser(MultiPartParser):
    """Keeps files in memory, as the body is bounded, and knows whether the form has its end."""

    spool_max_size = 2**31
    has_ended = False

    def on_end(self) -> None:
        """Note the end."""
        self.has_ended = True


async def _read_multipart(request: Request, limits: Limits) -> list[GivenPost]:
    # In Latin-1 every byte is a character, so that a field's bytes can be had back.
    headers = Headers({"content-type": f"{request.headers['content-type']}; charset=latin-1"})
    parser = _Parser(
        headers, request.stream(), max_files=2, max_fields=2, max_part_size=limits.max_bytes
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(422, " ".join(error.message.split())) from None
    if not parser.has_ended:
        raise HTTPException(422, "the form breaks off before its last boundary: send it again")
    given: dict[str, str | bytes] = {}
    for name, value in form.multi_items():
        if name not in ONE_POST["properties"]:
            raise HTTPException(422, "a part has another name than text and image: leave it out")
        if name in given:
            raise HTTPException(422, f"several parts are named {name}: send several posts as JSON")
        if isinstance(value, UploadFile):
            given[name] = value.file.read()
        elif name == "text":
            given[name] = _as_text(value)
        elif value:
            raise HTTPException(
                422,
                "image is a text, and no file: send the file, as curl does by -F image=@photo.jpg",
            )
        else:
            given[name] = b""
    await form.close()
    if not given:
        raise HTTPException(422, "no part is named text or image: send one of the two at least")
    text, image = given.get("text"), given.get("image")
    if not image:  # a browser sends an empty file where none was chosen
        return [GivenPost(text, None)]
    measure = partial(_measure, "image", text, bytes(image), limits)  # type: ignore[arg-type]
    return [await asyncio.to_thread(measure)]


def _as_text(field: str) -> str | bytes:
    payload = field.encode("latin-1")
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload
