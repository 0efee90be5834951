"""The model's code, beside the model: for transformers where this package is not installed.

By transformers' own rules a `config.json` may name classes in files beside it (`auto_map`), which
`trust_remote_code=True` imports. These files are those of this room, as they are; they import
nothing of this project but each other. Our own loader runs none of them.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

TASK = "post-sentiment"  # its name among transformers' pipelines
CODE = ("configuration", "fusion", "image", "modeling", "networks", "pipeline", "text", "words")
AUTO_MAP = {
    "AutoConfig": "configuration.SentimentConfig",
    "AutoModel": "modeling.SentimentModel",
}
PIPELINES = {
    TASK: {"impl": "pipeline.SentimentPipeline", "pt": ["AutoModel"], "type": "multimodal"}
}
KEYS = {"auto_map": AUTO_MAP, "custom_pipelines": PIPELINES}

_OWN = Path(__file__).parent


def write_code(folder: Path, config: str) -> None:
    """Write the code beside a model, and name it in its configuration file."""
    path = folder / config
    content = json.loads(path.read_text(encoding="utf-8")) | KEYS
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in CODE:
        shutil.copyfile(_OWN / f"{name}.py", folder / f"{name}.py")


def check_code(folder: Path, content: Mapping[str, Any]) -> None:
    """Refuse a configuration that names other code; warn of code that is not this version's.

    Args:
        folder: The folder of the model.
        content: The content of its configuration file.

    Raises:
        ValueError: If it names other classes than `write_code` does.
    """
    for key, own in KEYS.items():
        if key in content and content[key] != own:
            raise ValueError(
                f"config.json asks to run code of the folder ({key}): that is never done"
            )
    odd = [
        f"{name}.py"
        for name in CODE
        if (folder / f"{name}.py").is_file()
        and (folder / f"{name}.py").read_bytes() != (_OWN / f"{name}.py").read_bytes()
    ]
    if odd and "auto_map" in content:
        logger.warning(
            "%s: the code beside the model is of another version of this package, or was changed "
            "(%s). Here the model answers without it. For those who load the folder with "
            "trust_remote_code=True, load_classifier(FOLDER).save_pretrained(ANOTHER) writes the "
            "same model with this version's code",
            folder,
            ", ".join(odd),
        )
