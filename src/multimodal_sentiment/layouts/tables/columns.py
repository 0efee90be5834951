"""Which column of a table holds what: by well-known names, or as the user says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from multimodal_sentiment.posts.names import first_names

from ..errors import LayoutError

Role = Literal["guid", "text", "image", "tag", "split"]

# Names as they are compared: in lower case, `_`, `-` and spaces left out.
NAMES: dict[Role, tuple[str, ...]] = {
    "guid": ("guid", "id", "postid", "tweetid", "uid", "uuid"),
    "text": ("text", "tweet", "tweettext", "content", "caption", "post", "sentence", "message"),
    "image": (
        "image", "images", "img", "photo", "picture", "imagepath", "imgpath", "imagefile",
        "imagename", "imagefilename", "filename", "photopath",
    ),
    "tag": ("tag", "label", "sentiment", "class", "target", "category"),
    "split": ("split", "partition", "subset"),
}  # fmt: skip

_MOST_LISTED = 20  # columns in a message
_LONGEST = 30  # characters of a name in a message


def find_columns(
    names: Sequence[str], given: Mapping[str, str | None], table: str
) -> dict[str, str]:
    """Find the column of each role that a table has, and of `text_file` where the user names it.

    Args:
        names: The table's columns.
        given: The user's names, by role; None recognises a column by its name.
        table: The table, for messages.

    Raises:
        LayoutError: If a column that the user names is not there, several could be meant, or there
            is neither text nor image.
    """
    found = {
        role: _given(role, name, names, table)
        for role, name in given.items()
        if name is not None and role in (*get_args(Role), "text_file")
    }
    for role in get_args(Role):
        if role in found or (role == "text" and "text_file" in found):
            continue
        free = [name for name in names if name not in found.values()]
        fitting = [name for name in free if may_hold(role, name)]
        if len(fitting) > 1:
            raise LayoutError(
                f"{table} has several columns that may hold the {role}, {list_columns(fitting)}: "
                f"name one, as in columns.{role}={fitting[0]}; it has {list_columns(names)}"
            )
        if fitting:
            found[role] = fitting[0]
    if not found.keys() & {"text", "text_file", "image"}:
        raise LayoutError(
            f"{table} has no column that is known to hold a text or an image: name them, as in "
            f"columns.text=NAME, among {list_columns(names) or 'none'}"
        )
    return found


def may_hold(role: Role, name: str) -> bool:
    """Return whether a column has a well-known name of a role."""
    return _plain(name) in NAMES[role]


def column_of_ids(columns: Mapping[str, Any]) -> str | None:
    """Return the column of files whose name is one of ids too, where no other holds the ids.

    It gives the ids if it tells the posts apart; see `tell_apart`.

    Args:
        columns: The columns of a table or frame, by what they hold.
    """
    if "guid" in columns:
        return None
    named = (columns.get(role) for role in ("image", "text_file"))
    return next((name for name in named if isinstance(name, str) and may_hold("guid", name)), None)


def tell_apart(words: Sequence[str | bytes | None]) -> bool:
    """Return whether each post has a word, and all differ."""
    return all(words) and len(set(words)) == len(words)


def list_columns(names: Sequence[str]) -> str:
    """Return the first names of columns, for messages."""
    return first_names(names, _one_line, _MOST_LISTED)


def _given(role: str, name: str, names: Sequence[str], table: str) -> str:
    count = list(names).count(name)
    if count == 1:
        return name
    if count:
        raise LayoutError(f"{table} has {count} columns {name!r}: give them different names")
    raise LayoutError(
        f"{table} has no column {name!r}, which columns.{role} names: it has {list_columns(names)}"
    )


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character not in "_- \ufeff")


def _one_line(name: str) -> str:
    cut = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."
    return " ".join(cut.split()) or repr(cut)
