"""Nodes of the ingestion pipeline."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from multimodal_sentiment.compute_parameters import IN_THIS_PROCESS, ClusterParameters
from multimodal_sentiment.parameters import IngestionParameters
from multimodal_sentiment.posts.problems import Problem, problem, read_problems, write_problems
from multimodal_sentiment.posts.schema import FILES, POSTS, SPLITS
from multimodal_sentiment.types import Frame, Json, PostFiles

if TYPE_CHECKING:
    from multimodal_sentiment.decoding import Reading

logger = logging.getLogger(__name__)

_PART = 2000  # posts
_MOST_FLAGGED = 20  # shown of the posts whose reading is in doubt


def read_labelled_posts(
    listing: Frame,
    post_files: PostFiles,
    ingestion: IngestionParameters,
    modality: str = "both",
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[Frame, Frame, Json]:
    """Read the posts' texts, and learn how common each encoding is among them.

    Args:
        listing: The posts.
        post_files: Their texts and images.
        ingestion: How texts are read.
        modality: What the model will look at: most posts must have that.
        cluster: The workers that read.

    Returns:
        One row a post, with the columns of `posts.schema.POSTS`; one row a text file, with those of
        `posts.schema.FILES`; the encoding profile.

    Raises:
        ValueError: If no post is listed, a tag is missing or unknown, a post is listed under two
            tags, or the tags are too few to learn from; if most posts lack their text or image.
    """
    from multimodal_sentiment.decoding import read_source_by
    from multimodal_sentiment.posts.declared_split import find_validation_posts

    from .labels import find_labels, named_labels, spell_labels
    from .missing import report_missing
    from .tags import (
        one_tag_each,
        refuse_empty,
        refuse_unsplittable,
        refuse_untagged,
        with_known_tags,
    )

    refuse_empty(listing)
    named = named_labels(ingestion.labels, post_files.about["layout"])
    labels = spell_labels(named, listing["tag"]) if named else find_labels(listing["tag"])
    listing = with_known_tags(listing, labels)
    refuse_untagged(listing, labels)
    split = listing.reindex(columns=list(SPLITS), fill_value="")
    if find_validation_posts(listing.drop_duplicates("guid"), split) is None:
        refuse_unsplittable(listing)
    tags = one_tag_each(listing)
    payloads, unread = _read_texts(listing, post_files, cluster)
    read, profile = read_source_by(cluster, _undecoded(payloads), ingestion.encodings)
    readings = _with_decoded(payloads, read)
    posts = _rows(listing, tags, post_files, readings, unread)
    needed = {"both": ("text", "image")}.get(modality, (modality,))
    report_missing(posts, unread, post_files, () if ingestion.allow_missing else needed)
    flagged = _flagged(readings)
    return posts, _files(payloads, unread, post_files), profile.to_dict() | {"flagged": flagged}


def read_unlabelled_posts(
    listing: Frame,
    post_files: PostFiles,
    encoding_profile: Json,
    ingestion: IngestionParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[Frame, Frame]:
    """Read the posts' texts as those of the labelled posts were read.

    `null`, `none`, `nan`, `?` and nothing at all mean that there is no tag. A known tag is kept for
    those who want to compare; nothing is learnt from it. A listing may be empty: a night without
    new posts is no fault.

    Returns:
        Posts and text files, as `read_labelled_posts` gives them.

    Raises:
        ValueError: If a tag is unknown, or a post is listed under two tags.
    """
    from multimodal_sentiment.decoding import EncodingProfile, read_texts_by

    from .labels import named_labels, spell_labels
    from .missing import report_missing
    from .tags import one_tag_each, with_known_tags

    named = named_labels(ingestion.labels, post_files.about["layout"])
    listing = with_known_tags(listing, spell_labels(named, listing["tag"]) if named else None)
    tags = one_tag_each(listing)
    profile = EncodingProfile.from_dict(encoding_profile)
    payloads, unread = _read_texts(listing, post_files, cluster)
    read = read_texts_by(cluster, _undecoded(payloads), profile, ingestion.encodings)
    posts = _rows(listing, tags, post_files, _with_decoded(payloads, read), unread)
    report_missing(posts, unread, post_files, needed=())
    return posts, _files(payloads, unread, post_files)


def describe_source(listing: Frame, post_files: PostFiles) -> tuple[Frame, Json]:
    """Note the split that the source declares, and what it was taken for.

    Returns:
        One row a post, with the columns of `posts.schema.SPLITS`, or none if no split is declared;
        and what `layouts.PostFiles.about` holds.
    """
    if "split" not in listing:
        listing = listing.head(0).assign(split="")
    return listing[list(SPLITS)].drop_duplicates("guid"), post_files.about


def _read_texts(
    listing: Frame, post_files: PostFiles, cluster: ClusterParameters
) -> tuple[dict[str, bytes | str], dict[str, Problem]]:
    """Read each listed guid's text once, in the listing's order.

    Returns:
        The bytes of each, or the text if its source has decoded it, and why some could not be
        read: these are left empty.

    Raises:
        ValueError: If not one of the listed posts has a file.
    """
    from multimodal_sentiment.cluster import divide, map_parts
    from multimodal_sentiment.progress import log_progress

    from .tags import shown

    for remark in post_files.remarks:
        logger.info("%s", remark)
    guids: list[str] = listing["guid"].drop_duplicates().tolist()
    if guids and not any(guid in post_files.texts or guid in post_files.images for guid in guids):
        raise ValueError(
            f"{post_files.name} holds no text and no image of any listed post, such as "
            f"{shown(f'{guids[0]}.txt')}: is raw the folder above it?"
        )
    read = partial(_read_part, post_files)
    parts = divide(guids, _PART)
    pieces = map_parts(read, parts, cluster, "Reading texts", _leave_out)
    found = log_progress(chain.from_iterable(pieces), len(guids), "Reading texts of")
    payloads: dict[str, bytes | str] = {}
    unread = {}
    for guid, text in zip(guids, found, strict=True):
        if isinstance(text, Problem):
            payloads[guid] = b""
            unread[guid] = text
        else:
            payloads[guid] = text
    return payloads, unread


def _read_part(post_files: PostFiles, guids: list[str]) -> list[bytes | str | Problem]:
    """Read the texts of some posts, or find out why one cannot be read."""
    from multimodal_sentiment.layouts import UnreadableFileError

    texts: list[bytes | str | Problem] = []
    for guid in guids:
        try:
            texts.append(post_files.texts.read(guid))
        except UnreadableFileError as error:
            texts.append(error.problem)
    return texts


def _leave_out(_: list[str]) -> list[bytes | str | Problem]:
    return [problem("text_deadly")]


def _undecoded(payloads: dict[str, bytes | str]) -> list[bytes]:
    return [payload for payload in payloads.values() if isinstance(payload, bytes)]


def _with_decoded(
    payloads: dict[str, bytes | str], readings: Iterable[Reading]
) -> dict[str, Reading]:
    """Return each post's reading, be it one of those given or of a text that came decoded."""
    from multimodal_sentiment.decoding import decoded_reading

    read = iter(readings)
    return {
        guid: next(read) if isinstance(payload, bytes) else decoded_reading(payload)
        for guid, payload in payloads.items()
    }


def _rows(
    listing: Frame,
    tags: dict[str, str],
    post_files: PostFiles,
    readings: dict[str, Reading],
    unread: dict[str, Problem],
) -> Frame:
    """One row a guid, in the listing's order; nothing is stripped from the texts."""
    import pandas as pd

    repeated = {
        guid: problem("listed_repeatedly", times)
        for guid, times in Counter(listing["guid"].tolist()).items()
        if times > 1
    }
    texts, images = post_files.texts, post_files.images
    rows = []
    for guid, reading in readings.items():
        is_read = guid not in unread
        problems = (
            texts.problem(guid),
            *(_doubts(reading) if is_read else [unread[guid]]),
            images.problem(guid),
            repeated.get(guid),
        )
        rows.append(
            (
                guid,
                reading.text,
                tags[guid],
                images.path(guid),
                reading.encoding if is_read else "",
                reading.confidence if is_read else 0.0,
                write_problems(problems) if any(problems) else "",
            )
        )
    posts = pd.DataFrame(rows, columns=list(POSTS))
    _log_posts(posts)
    return posts


def _doubts(reading: Reading) -> Sequence[Problem]:
    if reading.problem:
        return read_problems(reading.problem)
    return () if reading.text.strip() else (problem("empty_text"),)


def _files(
    payloads: dict[str, bytes | str], unread: dict[str, Problem], post_files: PostFiles
) -> Frame:
    """One row a text that was read: of a file, or of a row of a table."""
    import pandas as pd

    rows = [
        (guid, post_files.texts.path(guid), len(payload), hashlib.sha256(payload).hexdigest())
        for guid, payload in zip(payloads, map(_encoded, payloads.values()), strict=True)
        if guid not in unread
    ]
    return pd.DataFrame(rows, columns=list(FILES))


def _encoded(text: bytes | str) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def _flagged(readings: dict[str, Reading]) -> Json:
    """How many readings are in doubt, and why the first are."""
    doubtful = [
        {"guid": guid, "encoding": reading.encoding, "problem": reading.problem}
        for guid, reading in readings.items()
        if reading.problem
    ]
    return {"posts": len(doubtful), "first": doubtful[:_MOST_FLAGGED]}


def _log_posts(posts: Frame) -> None:
    encodings = posts.loc[posts["encoding"] != "", "encoding"].str.upper().value_counts()
    logger.info(
        "%s posts: %s; %s without image, %s with a problem",
        f"{len(posts):,}",
        ", ".join(f"{count:,} {name}" for name, count in encodings.items()) or "no text",
        f"{(posts['img_path'] == '').sum():,}",
        f"{(posts['problems'] != '').sum():,}",
    )
