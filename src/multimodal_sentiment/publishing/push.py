"""A model is sent to a hub, with its card and its code; what would leave is known before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HFValidationError, HTTPError, LocalTokenNotFoundError
from huggingface_hub.utils import validate_repo_id

from multimodal_sentiment.classifier.errors import ClassifierError
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.reporting.model_card import base_name, is_local
from multimodal_sentiment.wording import first_line

CARD = "README.md"


@contextmanager
def staged(classifier: SentimentClassifier, card: str | None) -> Iterator[Path]:
    """Hand out a folder that holds all that would be sent, and nothing else.

    Left out is what speaks of single posts: the keys of those that the model has learnt from, which
    of them were hard to read, and features of validation posts. An encoder in a folder or file of
    this machine is named without the folders above it.

    Args:
        classifier: The model.
        card: Its card with numbers; without one, that which is written before it is judged.
    """
    profile = {
        name: value for name, value in classifier.encoding_profile.items() if name != "flagged"
    }
    validation = classifier.validation
    if validation is not None:
        validation = replace(validation, features={}, projections={})
    sent = replace(classifier, encoding_profile=profile, learnt_keys=None, validation=validation)
    with TemporaryDirectory() as name:
        folder = Path(name)
        sent.save_pretrained(folder)
        card = card or (folder / CARD).read_text(encoding="utf-8")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        # What follows names places of this machine.
        config.pop("_name_or_path", None)
        for encoder in (config.get("training") or {}).get("encoders", {}).values():
            if is_local(encoder):
                given, encoder["name"] = encoder["name"], base_name(encoder)
                card = card.replace(given, encoder["name"])
        (folder / CARD).write_text(card, encoding="utf-8", newline="\n")
        (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
        yield folder


def check_repository(repository: str, endpoint: str | None, *, public: bool) -> HfApi:
    """Return the hub, if the repository may be written to as is asked.

    Raises:
        ClassifierError: If its name is none, the hub does not answer or does not know the user, or
            the repository is there and not public or private as is asked for.
    """
    try:
        validate_repo_id(repository)
        owner, _, name = repository.partition("/")
        if not (owner and name):
            raise HFValidationError("it has no owner")
    except HFValidationError as error:
        raise ClassifierError(f"{repository!r} is no OWNER/NAME of a hub: {error}") from error
    hub = HfApi(endpoint=endpoint or constants.ENDPOINT)
    with in_one_line(hub):
        if not hub.repo_exists(repository, token=True):
            return hub
        is_private = bool(hub.model_info(repository, token=True).private)  # a hub may not say
        if public == is_private:
            kind, way = ("private", "without") if is_private else ("public", "with")
            raise ClassifierError(
                f"{repository} is there already, and {kind}: name another, change that on "
                f"{hub.endpoint}, or send the model {way} --public"
            )
    return hub


def push(hub: HfApi, folder: Path, repository: str, message: str, *, public: bool) -> str:
    """Send a staged folder, in one commit; the repository is made if it is not there.

    Returns:
        Where it can be seen.

    Raises:
        ClassifierError: If the hub does not take it.
    """
    with in_one_line(hub):
        hub.create_repo(repository, private=not public, exist_ok=True, token=True)
        commit = hub.upload_folder(
            repo_id=repository, folder_path=folder, commit_message=message, token=True
        )
    return str(commit.repo_url)


@contextmanager
def in_one_line(hub: HfApi) -> Iterator[None]:
    """Have what a hub says, or does not, in one line."""
    try:
        yield
    except LocalTokenNotFoundError as error:
        raise ClassifierError(
            f"nobody is known to {hub.endpoint}: run hf auth login, or set HF_TOKEN"
        ) from error
    except (HTTPError, OSError) as error:
        raise ClassifierError(
            f"{hub.endpoint} does not take the model: {first_line(error)}: see "
            "whether the token may write there, and name a mirror with encoders.endpoint"
        ) from error
