"""What can be wrong with a post: one table of codes, and the words for people.

In the column `problems` stand a post's problems as codes with their arguments, such as
`several_images(7.jpg); image_broken("not a JPEG")`. An argument that is not one plain word is
written as a JSON string, so that it may hold any text and the column still has one reading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Set
from typing import Literal, NamedTuple

Subject = Literal["text", "encoding", "image", "listing", "post"]


class Kind(NamedTuple):
    """A kind of problem.

    Attributes:
        subject: The part of a post that it concerns.
        title: Its name for people.
        detail: The words that follow the title, with `{}` for each argument.
    """

    subject: Subject
    title: str
    detail: str = ""


KINDS: dict[str, Kind] = {
    "no_text": Kind("text", "no text"),
    "text_irregular": Kind("text", "text is a folder or no regular file"),
    "text_link_broken": Kind("text", "text is a link that leads nowhere", "{}"),
    "text_outside": Kind(
        "text", "text lies outside of the folder", "{}; ingestion.links=anywhere allows it"
    ),
    "text_url": Kind("text", "text is an URL, and nothing is fetched", "{}"),
    "text_too_large": Kind("text", "text too large", "{} MB, at most 1 MB"),
    "text_unreadable": Kind("text", "text unreadable", "{}"),
    "several_texts": Kind("text", "several texts", "{} used"),
    "text_deadly": Kind("text", "text left out", "to read it kills the process"),
    "empty_text": Kind("text", "empty text"),
    "control_characters": Kind("text", "control characters"),
    "lone_surrogates": Kind("text", "lone surrogates", "{}"),
    "encoding_uncertain": Kind("encoding", "encoding uncertain", "{} {}, {} {}"),
    "encoding_unlike_source": Kind(
        "encoding", "encoding unlike its source's", "{} as its source, {} by itself"
    ),
    "encoding_rare": Kind("encoding", "encoding rare in this source", "{}"),
    "encoding_guessed": Kind(
        "encoding", "no candidate encoding decodes it", "read as chardet's guess, {}"
    ),
    "encoding_unknown": Kind("encoding", "reads like no text in any encoding"),
    "bytes_undecodable": Kind("encoding", "undecodable bytes spelled out", "read as {} otherwise"),
    "text_undecodable": Kind("encoding", "text undecodable", "spelled out where it is no {}"),
    "no_image": Kind("image", "no image"),
    "image_irregular": Kind("image", "image is a folder or no regular file"),
    "image_link_broken": Kind("image", "image is a link that leads nowhere", "{}"),
    "image_outside": Kind(
        "image", "image lies outside of the folder", "{}; ingestion.links=anywhere allows it"
    ),
    "image_url": Kind("image", "image is an URL, and nothing is fetched", "{}"),
    "image_too_large": Kind("image", "image too large", "{} MB, at most 100 MB"),
    "image_unreadable": Kind("image", "image unreadable", "{}"),
    "several_images": Kind("image", "several images", "{} used"),
    "image_broken": Kind("image", "image broken", "{}"),
    "image_cut": Kind("image", "image cut short", "its data ends in row {} of {}"),
    "image_deadly": Kind("image", "image left out", "to decode it kills the process"),
    "listed_repeatedly": Kind("listing", "listed repeatedly", "{} times"),
    "prediction_deadly": Kind(
        "post", "answered as if it were empty", "to predict it kills the process"
    ),
    # What version 0.1 wrote, in its own words.
    "noted": Kind("post", "noted", "{}"),
}

_UNREAD: dict[str, Set[Subject]] = {"text": {"image"}, "image": {"text", "encoding"}}

_WORD = r"[\w.+-]+"
_ARGUMENT = rf'(?:{_WORD}|"(?:[^"\\]|\\.)*")'
_PROBLEM = re.compile(rf"([a-z_]+)(?:\(({_ARGUMENT}(?:,{_ARGUMENT})*)\))?(?:; |$)")


class Problem(NamedTuple):
    """A problem of one post.

    Attributes:
        code: One of `KINDS`.
        arguments: The arguments, as many as the kind's detail names, in its order.
    """

    code: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the problem as it stands in the column."""
        if not self.arguments:
            return self.code
        return f"{self.code}({','.join(map(_quoted, self.arguments))})"

    @property
    def words(self) -> str:
        """The problem for people."""
        kind = KINDS[self.code]
        detail = kind.detail.format(*self.arguments)
        if self.code == "noted":
            return detail
        return f"{kind.title}: {detail}" if detail else kind.title


def problem(code: str, *arguments: object) -> Problem:
    """Make a problem.

    Raises:
        ValueError: If there is no such kind, or it has another number of arguments.
    """
    if code not in KINDS:
        raise ValueError(f"unknown problem {code!r}: choose one of {', '.join(KINDS)}")
    expected = KINDS[code].detail.count("{}")
    if len(arguments) != expected:
        raise ValueError(f"problem {code!r} has arguments: {len(arguments)} instead of {expected}")
    return Problem(code, tuple(map(str, arguments)))


def write_problems(problems: Iterable[Problem | str | None]) -> str:
    """Return the column's entry for a post; None and what is there already are left out.

    Args:
        problems: Problems, and entries that are written already.
    """
    return "; ".join(dict.fromkeys(str(each) for each in problems if each is not None))


def read_problems(entry: str) -> list[Problem]:
    """Return the problems of a column's entry; the prose of version 0.1 becomes one `noted`."""
    problems = []
    end = 0
    while end < len(entry):
        found = _PROBLEM.match(entry, end)
        if found is None:
            return [Problem("noted", (entry,))]
        arguments = re.findall(_ARGUMENT, found[2] or "")
        try:
            problems.append(problem(found[1], *map(_unquoted, arguments)))
        except ValueError:
            return [Problem("noted", (entry,))]
        end = found.end()
    return problems


def describe_problems(entry: str) -> str:
    """Return a column's entry in words for people."""
    return "; ".join(each.words for each in read_problems(entry))


def unread_subjects(modality: str | None) -> Set[Subject]:
    """Return the parts of a post that a model of this modality does not read; none if None."""
    return _UNREAD.get(modality or "", set())


def felt_problems(entry: str, modality: str) -> str:
    """Return a column's entry without problems of what a model of this modality does not read."""
    unread = unread_subjects(modality)
    if not unread:
        return entry
    return write_problems(
        each for each in read_problems(entry) if KINDS[each.code].subject not in unread
    )


def _quoted(argument: str) -> str:
    if re.fullmatch(_WORD, argument):
        return argument
    return json.dumps(argument, ensure_ascii=not argument.isprintable())


def _unquoted(argument: str) -> str:
    return str(json.loads(argument)) if argument.startswith('"') else argument
