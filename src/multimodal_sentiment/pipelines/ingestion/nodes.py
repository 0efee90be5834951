"""Nodes of the ingestion pipeline."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.parameters import IN_THIS_PROCESS, ClusterParameters, IngestionParameters
from multimodal_sentiment.posts.problems import Problem, problem, write_problems
from multimodal_sentiment.posts.schema import FILES, POSTS, SPLITS
from multimodal_sentiment.types import Frame, Json, PostFiles

if TYPE_CHECKING:
    from multimodal_sentiment.decoding import Reading

logger = logging.getLogger(__name__)

_PART = 2000  # posts
_FEWEST = 3  # posts of a tag that training can do with
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
        ingestion: The parameters of reading.
        modality: The modality that the model will read: most posts must have it.
        cluster: The workers that read.

    Returns:
        One row a post, with the columns of `posts.schema.POSTS`; one row a text file, with those of
        `posts.schema.FILES`; the encoding profile.

    Raises:
        ValueError: If no post is listed, a tag is missing or unknown, a post is listed under two
            tags, or the tags are too few to learn from; if most posts lack their text or image.
    """
    from multimodal_sentiment.decoding import read_source_by
    from multimodal_sentiment.posts.declared_split import find_validation_posts, refuse_few_tags

    from .labels import find_labels, named_labels, refuse_untagged, spell_labels, tag_posts
    from .missing import report_missing

    guids, tags = listing["guid"].tolist(), listing["tag"].tolist()
    named = named_labels(ingestion.labels, post_files.about["layout"])
    labels = spell_labels(named, tags) if named else find_labels(tags)
    tag_of = tag_posts(guids, tags, labels)
    refuse_untagged(tag_of, labels)
    if "split" not in listing or find_validation_posts(tag_of, listing[list(SPLITS)]) is None:
        # Which the split would find out only after all images have been decoded.
        refuse_few_tags(tag_of.values(), "labelled post", _FEWEST)
    payloads, unread = _read_texts(tag_of, post_files, cluster)
    read, profile = read_source_by(cluster, _undecoded(payloads), ingestion.encodings)
    readings = _with_decoded(payloads, read)
    if doubt := profile.doubt or post_files.doubt:
        logger.warning("%s", doubt)
    posts = _rows(guids, tag_of, post_files, readings, unread)
    report_missing(posts, unread, post_files, _needed(modality, ingestion), modality)
    flagged = _flagged(readings)
    return posts, _files(payloads, unread, post_files), profile.to_dict() | {"flagged": flagged}


def read_unlabelled_posts(
    listing: Frame,
    post_files: PostFiles,
    encoding_profile: Json,
    ingestion: IngestionParameters,
    modality: str = "both",
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[Frame, Frame]:
    """Read the posts' texts as those of the labelled posts were read.

    `null`, `none`, `nan`, `?` and nothing at all mean that there is no tag. A known tag is kept for
    those who want to compare; nothing is learnt from it. A listing may be empty: a night without
    new posts is no fault.

    Args:
        listing: The posts.
        post_files: Their texts and images.
        encoding_profile: How the posts that the model has learnt from were encoded.
        ingestion: The parameters of reading.
        modality: The modality that the model reads: one post at least must have it.
        cluster: The workers that read.

    Returns:
        Posts and text files, as `read_labelled_posts` gives them.

    Raises:
        ValueError: If a tag is unknown, or a post is listed under two tags; if no post has a text,
            or none an image, and the model reads them.
    """
    from multimodal_sentiment.decoding import EncodingProfile, read_texts_by
    from multimodal_sentiment.posts.schema import is_tag

    from .labels import named_labels, spell_labels, tag_posts
    from .missing import report_missing

    guids, tags = listing["guid"].tolist(), listing["tag"].tolist()
    named = named_labels(ingestion.labels, post_files.about["layout"])
    # Which tags are one label, the model knows that they are compared with.
    labels = spell_labels(named, tags) if named else list(filter(is_tag, dict.fromkeys(tags)))
    tag_of = tag_posts(guids, tags, labels)
    profile = EncodingProfile.from_dict(encoding_profile)
    payloads, unread = _read_texts(tag_of, post_files, cluster)
    read = read_texts_by(cluster, _undecoded(payloads), profile, ingestion.encodings)
    if post_files.doubt:
        logger.warning("%s", post_files.doubt)
    posts = _rows(guids, tag_of, post_files, _with_decoded(payloads, read), unread)
    needed = _needed(modality, ingestion)
    report_missing(posts, unread, post_files, needed, modality, to_learn=False)
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


def _needed(modality: str, ingestion: IngestionParameters) -> Sequence[str]:
    """Return what of `text` and `image` the posts must have."""
    if ingestion.allow_missing:
        return ()
    return ("text", "image") if modality == "both" else (modality,)


def _read_texts(
    guids: Collection[str], post_files: PostFiles, cluster: ClusterParameters
) -> tuple[dict[str, bytes | str], dict[str, Problem]]:
    """Read the text of each guid.

    Returns:
        The bytes of each, or the text if its source has decoded it, and why some could not be
        read: these are left empty.

    Raises:
        ValueError: If a folder has no file of any listed post.
    """
    from multimodal_sentiment.cluster import divide, map_parts
    from multimodal_sentiment.progress import log_progress

    from .missing import refuse_wrong_folder

    for remark in post_files.remarks:
        logger.info("%s", remark)
    refuse_wrong_folder(guids, post_files)
    read = partial(_read_part, post_files)
    parts = divide(list(guids), _PART)
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
    listed: Sequence[str],
    tag_of: Mapping[str, str],
    post_files: PostFiles,
    readings: Mapping[str, Reading],
    unread: Mapping[str, Problem],
) -> Frame:
    """Return one row a guid, in the listing's order; nothing is stripped from the texts."""
    import pandas as pd

    repeated = {
        guid: problem("listed_repeatedly", times)
        for guid, times in Counter(listed).items()
        if times > 1
    }
    texts, images, empty = post_files.texts, post_files.images, problem("empty_text")
    problems, paths = [], []
    for guid, reading in readings.items():
        found = (
            texts.problem(guid),
            unread.get(guid) or reading.problem or (None if reading.text.strip() else empty),
            images.problem(guid),
            repeated.get(guid),
        )
        problems.append(write_problems(found) if any(found) else "")
        paths.append(images.path(guid))  # here, as what was found for it is not kept for long
    read = [None if guid in unread else reading for guid, reading in readings.items()]
    columns: dict[str, list[Any]] = {
        "guid": list(readings),
        "text": [reading.text for reading in readings.values()],
        "tag": [tag_of[guid] for guid in readings],
        "img_path": paths,
        "encoding": [reading.encoding if reading else "" for reading in read],
        "encoding_confidence": [reading.confidence if reading else 0.0 for reading in read],
        "problems": problems,
    }
    _log_posts(columns)
    return pd.DataFrame(columns, columns=list(POSTS))


def _files(
    payloads: dict[str, bytes | str], unread: dict[str, Problem], post_files: PostFiles
) -> Frame:
    """Return one row a text that was read: of a file, or of a row of a table."""
    import pandas as pd

    texts = {
        guid: text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        for guid, text in payloads.items()
        if guid not in unread
    }
    columns = {
        "guid": list(texts),
        "file": list(map(post_files.texts.path, texts)),
        "bytes": list(map(len, texts.values())),
        "sha256": [hashlib.sha256(text).hexdigest() for text in texts.values()],
    }
    return pd.DataFrame(columns, columns=list(FILES))


def _flagged(readings: dict[str, Reading]) -> Json:
    """Count the readings that are in doubt, and say why the first are."""
    doubtful = [
        {"guid": guid, "encoding": reading.encoding, "problem": reading.problem}
        for guid, reading in readings.items()
        if reading.problem
    ]
    return {"posts": len(doubtful), "first": doubtful[:_MOST_FLAGGED]}


def _log_posts(columns: Mapping[str, list[Any]]) -> None:
    encodings = Counter(filter(None, columns["encoding"])).most_common()
    logger.info(
        "%s posts: %s; %s without image, %s with a problem",
        f"{len(columns['guid']):,}",
        ", ".join(f"{count:,} {name.upper()}" for name, count in encodings) or "no text",
        f"{columns['img_path'].count(''):,}",
        f"{len(columns['problems']) - columns['problems'].count(''):,}",
    )
