"""Nodes of the ingestion pipeline."""

from __future__ import annotations

import difflib
import logging
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from multimodal_sentiment.parameters import IngestionParameters
from multimodal_sentiment.types import Frame, Json, PostFiles

if TYPE_CHECKING:
    from multimodal_sentiment.decoding import Reading

logger = logging.getLogger(__name__)

# What listings hold where there is no tag, in any case.
NO_TAG = frozenset({"", "null", "none", "nan", "?"})

_FEWEST = 3  # posts of a tag that training can do with
_MOST_FLAGGED = 20  # shown of the posts whose reading is in doubt


def record_files(listing: Frame, post_files: PostFiles) -> Frame:
    """Record what the posts' files are: `guid, file, bytes, sha256`.

    The raw layer is not copied, but what it was can be checked. Files that cannot be read are left
    out.
    """
    import pandas as pd

    from multimodal_sentiment.concurrency import map_in_order
    from multimodal_sentiment.datasets.post_folder import UnreadableFileError
    from multimodal_sentiment.progress import log_progress

    def record(guid: str) -> list[tuple[str, str, int, str]]:
        rows = []
        for kind in (post_files.texts, post_files.images):
            try:
                rows.append((guid, kind.path(guid), *kind.digest(guid)))
            except UnreadableFileError:  # noted as a problem of the post by the node that needs it
                continue
        return rows

    guids = _guids(listing, post_files)
    recorded = log_progress(map_in_order(record, guids), len(guids), "Recording files of")
    rows = [row for rows in recorded for row in rows]
    logger.info("%s files, %.1f MB", f"{len(rows):,}", sum(row[2] for row in rows) / 1e6)
    return pd.DataFrame(rows, columns=["guid", "file", "bytes", "sha256"])


def read_labelled_posts(
    listing: Frame, post_files: PostFiles, ingestion: IngestionParameters
) -> tuple[Frame, Json]:
    """One row a post, and how common each encoding is among them.

    The rows are `guid, text, tag, img_path, encoding, encoding_confidence, problems`.

    Raises:
        ValueError: If a tag is missing or unknown, a post is listed under two tags, or the tags
            are too few to learn from.
    """
    from multimodal_sentiment.decoding import read_source

    listing = _with_known_tags(listing, ingestion.labels)
    untagged = listing["guid"][listing["tag"] == ""]
    if len(untagged):
        raise ValueError(
            f"the labelled listing gives no tag to {_some(untagged)}: write one of "
            f"{', '.join(ingestion.labels)}, or list such posts among the unlabelled ones"
        )
    _refuse_unsplittable(listing)
    tags = _one_tag_each(listing)
    payloads, unread = _read_texts(_guids(listing, post_files), post_files)
    readings, profile = read_source(list(payloads.values()), ingestion.encodings)
    posts = _rows(listing, tags, post_files, dict(zip(payloads, readings, strict=True)), unread)
    return posts, profile.to_dict() | {"flagged": _flagged(payloads, readings)}


def read_unlabelled_posts(
    listing: Frame, post_files: PostFiles, encoding_profile: Json, ingestion: IngestionParameters
) -> Frame:
    """One row a post, as `read_labelled_posts` gives them, read as the labelled posts were.

    `null`, `none`, `nan`, `?` and nothing at all mean that there is no tag. A known tag is kept for
    those who want to compare; nothing is learnt from it.

    Raises:
        ValueError: If a tag is unknown, or a post is listed under two tags.
    """
    from multimodal_sentiment.decoding import EncodingProfile, read_texts

    listing = _with_known_tags(listing, ingestion.labels)
    tags = _one_tag_each(listing)
    profile = EncodingProfile.from_dict(encoding_profile)
    payloads, unread = _read_texts(_guids(listing, post_files), post_files)
    readings = read_texts(list(payloads.values()), profile, ingestion.encodings)
    return _rows(listing, tags, post_files, dict(zip(payloads, readings, strict=True)), unread)


def _rows(
    listing: Frame,
    tags: dict[str, str],
    post_files: PostFiles,
    readings: dict[str, Reading],
    unread: dict[str, str],
) -> Frame:
    """One row a guid, in the listing's order; nothing is stripped from the texts."""
    import pandas as pd

    times_listed = Counter(listing["guid"].tolist())
    texts, images = post_files.texts, post_files.images
    rows = []
    for guid, reading in readings.items():
        text_problem = reading.problem or ("" if reading.text.strip() else "empty text")
        problems = [
            texts.problem(guid),
            unread.get(guid, text_problem),
            images.problem(guid),
            f"listed repeatedly: {times_listed[guid]} times" if times_listed[guid] > 1 else "",
        ]
        rows.append(
            (
                guid,
                reading.text,
                tags[guid],
                images.path(guid),
                "" if guid in unread else reading.encoding,
                0.0 if guid in unread else reading.confidence,
                "; ".join(dict.fromkeys(filter(None, problems))),
            )
        )
    columns = "guid text tag img_path encoding encoding_confidence problems".split()
    posts = pd.DataFrame(rows, columns=columns)
    _log_posts(posts)
    return posts


def _flagged(guids: Iterable[str], readings: Iterable[Reading]) -> Json:
    """How many readings are in doubt, and why the first are."""
    doubtful = [
        {"guid": guid, "encoding": reading.encoding, "problem": reading.problem}
        for guid, reading in zip(guids, readings, strict=True)
        if reading.problem
    ]
    return {"posts": len(doubtful), "first": doubtful[:_MOST_FLAGGED]}


def _guids(listing: Frame, post_files: PostFiles) -> list[str]:
    """Each listed guid once, in the listing's order.

    Raises:
        ValueError: If not one of them has a file.
    """
    guids: list[str] = listing["guid"].drop_duplicates().tolist()
    if not any(guid in post_files.texts or guid in post_files.images for guid in guids):
        raise ValueError(
            f"{post_files.folder} holds no text and no image of any listed post, such as "
            f"{_shown(f'{guids[0]}.txt')}: is raw the folder above it?"
        )
    return guids


def _read_texts(guids: list[str], post_files: PostFiles) -> tuple[dict[str, bytes], dict[str, str]]:
    """The bytes of each guid's text, and why some, left empty, could not be read."""
    from multimodal_sentiment.datasets.post_folder import UnreadableFileError
    from multimodal_sentiment.progress import log_progress

    payloads = {}
    unread = {}
    for guid in log_progress(guids, len(guids), "Reading texts of"):
        try:
            payloads[guid] = post_files.texts.read(guid)
        except UnreadableFileError as error:
            payloads[guid] = b""
            unread[guid] = str(error)
    return payloads, unread


def _with_known_tags(listing: Frame, labels: list[str]) -> Frame:
    """The listing with every tag one of the labels, or empty."""

    def known(tag: str) -> str | None:
        return tag if tag in labels else "" if tag.casefold() in NO_TAG else None

    tags = listing["tag"].map({tag: known(tag) for tag in listing["tag"].unique()})
    unknown = listing[tags.isna()]
    if len(unknown):
        tag = unknown["tag"].iloc[0]
        near = difflib.get_close_matches(tag.casefold(), labels, n=1)
        raise ValueError(
            f"unknown tag {_shown(tag)} of {_some(unknown['guid'][unknown['tag'] == tag])}"
            f"{f', did you mean {near[0]!r}?' if near else ''}: use {', '.join(labels)}, "
            f"or change ingestion.labels"
        )
    return listing.assign(tag=tags)


def _one_tag_each(listing: Frame) -> dict[str, str]:
    """The tag of each guid."""
    pairs = listing.drop_duplicates()
    twice = pairs["guid"][pairs["guid"].duplicated()].drop_duplicates()
    if len(twice):
        raise ValueError(f"listed under different tags: {_some(twice)}: keep one line of each")
    return dict(zip(pairs["guid"].tolist(), pairs["tag"].tolist(), strict=True))


def _refuse_unsplittable(listing: Frame) -> None:
    """Say now what the split would find out only after all images have been decoded."""
    counts = listing.drop_duplicates("guid")["tag"].value_counts()
    if len(counts) == 1:
        raise ValueError(
            f"the labelled listing tags every post {counts.index[0]!r}: there is nothing to learn "
            f"unless some have another tag"
        )
    if counts.iloc[-1] < _FEWEST:
        posts = "post is" if counts.iloc[-1] == 1 else "posts are"
        raise ValueError(
            f"only {counts.iloc[-1]} {posts} tagged {counts.index[-1]!r}: learning, tuning and "
            f"validation need one each; add posts with that tag, or leave it out"
        )


def _some(guids: Iterable[str]) -> str:
    """The first few guids and how many more there are, for a message."""
    guids = list(guids)
    more = f" and {len(guids) - 3:,} more" if len(guids) > 3 else ""  # noqa: PLR2004
    posts = "post" if len(guids) == 1 else "posts"
    return f"{posts} {', '.join(map(_shown, guids[:3]))}{more}"


def _shown(value: str) -> str:
    return repr(value if len(value) <= 40 else f"{value[:40]}...")  # noqa: PLR2004


def _log_posts(posts: Frame) -> None:
    encodings = posts.loc[posts["encoding"] != "", "encoding"].str.upper().value_counts()
    logger.info(
        "%s posts: %s; %s without image, %s with a problem",
        f"{len(posts):,}",
        ", ".join(f"{count:,} {name}" for name, count in encodings.items()) or "no text",
        f"{(posts['img_path'] == '').sum():,}",
        f"{(posts['problems'] != '').sum():,}",
    )
