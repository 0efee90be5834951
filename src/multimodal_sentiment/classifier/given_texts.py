"""What may be given as a text, and what is read of it; see `Classifier.predict`."""

from __future__ import annotations

from typing import Any

from multimodal_sentiment.decoding import has_control_characters
from multimodal_sentiment.layouts.files.local import LARGEST, too_large
from multimodal_sentiment.layouts.tables.table import in_words
from multimodal_sentiment.posts.problems import Problem, problem

from .inputs import BYTES, is_missing, single


def read_text(value: Any) -> tuple[str | bytes, list[Problem]]:
    """Return a post's text, or bytes that are yet to be decoded, and what is wrong with it."""
    if is_missing(value):
        return "", [problem("no_text")]
    value = single(value)
    if isinstance(value, bool | int | float):
        value = str(in_words(value))
    if not isinstance(value, str | BYTES):
        return "", [problem("text_unreadable", f"{type(value).__name__} is no text")]
    if len(value) > LARGEST["text"]:
        return "", [too_large("text", len(value))]
    if not isinstance(value, str):
        return bytes(value), []
    text, problems = str(value), []
    try:
        text.encode()
    except UnicodeEncodeError:  # halves of surrogate pairs; two that fit are one character
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if lost := text.count("\ufffd") - value.count("\ufffd"):
            problems.append(problem("lone_surrogates", lost))
    if has_control_characters(text):
        problems.append(problem("control_characters"))
    return text, problems or ([] if text.strip() else [problem("empty_text")])
