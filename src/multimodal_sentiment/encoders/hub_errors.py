"""What a hub refuses, or what lies between, in one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from multimodal_sentiment.wording import one_line

from .references import EncoderError

UNAUTHORISED, FORBIDDEN, NOT_FOUND = 401, 403, 404
MIRROR = "another mirror (HF_ENDPOINT, or encoders.endpoint)"


@contextmanager
def explained(name: str, repository: str, place: str, file: str | None = None) -> Iterator[None]:
    """Put what goes wrong with the hub in one line; what goes wrong with the disk passes.

    Args:
        name: The encoder's name, as the user wrote it.
        repository: The name by which the hub calls it.
        place: The hub's or mirror's URL.
        file: The file that is being fetched; none while the hub is asked what there is.

    Raises:
        EncoderError: In place of what the hub's library raises.
    """
    kept = "; what has come so far is kept" if file else ""
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise EncoderError(
            f"{name} is not here yet, and HF_HUB_OFFLINE forbids to fetch it: unset it, or name a "
            "local folder"
        ) from error
    except HfHubHTTPError as error:
        raise EncoderError(f"{name}: {_refusal(error, repository, place, file)}{kept}") from error
    except HTTPError as error:
        reason = one_line(error)
        raise EncoderError(
            f"{name}: {place} cannot be reached ({reason}): check the connection and the proxy "
            f"(HTTPS_PROXY), or name {MIRROR}{kept}"
        ) from error
    except ImportError as error:  # a proxy of a kind that needs one more package
        raise EncoderError(f"{name}: {one_line(error)}") from error
    except (ValueError, TypeError, KeyError) as error:
        reason = f" ({one_line(error)})" if isinstance(error, ValueError) else ""
        raise EncoderError(
            f"{name}: {place} does not answer as a hub does{reason}: check HF_ENDPOINT, "
            "encoders.endpoint and the proxy, or whether a login page stands in between"
        ) from error


def _refusal(error: HfHubHTTPError, repository: str, place: str, file: str | None) -> str:
    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return (
            f"gated at {place}: accept its terms on its page there, then set HF_TOKEN to a token "
            "of yours"
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{place} has no such revision of it: choose another in NAME@REVISION"
    if file and (isinstance(error, EntryNotFoundError) or status == NOT_FOUND):
        return f"{place} lists {file} but does not have it: choose {MIRROR}"
    # A hub answers 401 for what does not exist too, so as not to tell what is private.
    unknown = status == NOT_FOUND or (status == UNAUTHORISED and file is None)
    if unknown or isinstance(error, RepositoryNotFoundError):
        return (
            f"{place} has no {repository}, or it is private: check the name, or set HF_TOKEN "
            "to a token that may read it"
        )
    if status in (UNAUTHORISED, FORBIDDEN):
        return f"{place} refuses access ({status}): check HF_TOKEN"
    return f"{place} answers with error {status}: try again later, or name {MIRROR}"
