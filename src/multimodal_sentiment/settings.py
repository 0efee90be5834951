"""Kedro's settings for this project."""

import csv
import os
import warnings
from pathlib import Path

import yaml
from kedro.framework.project import LOGGING

from multimodal_sentiment.config_loader import CheckedConfigLoader
from multimodal_sentiment.hooks import PROJECT_HOOKS

# Kedro 1.7 renames --pipeline; both spellings work, and this project documents the shorter one.
warnings.filterwarnings("ignore", message="Option .--pipeline. is deprecated")

# Datasets of a namespace are used outside of it: that is what their dots are for.
warnings.filterwarnings("ignore", message="One or more dataset names contain '.'")

# The configuration lies beside src in the repository, and in the package where only that is
# installed; there, a conf in the current folder takes its place.
_PACKAGED = Path(__file__).parent / "conf"
_CONF = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "conf"
CONF_SOURCE = str(_PACKAGED) if _PACKAGED.is_dir() and not Path("conf/base").is_dir() else "conf"

# Kedro takes conf/logging.yml from the folder that a command is started in: in any other, it would
# leave its own, noisier logging.
if "KEDRO_LOGGING_CONFIG" not in os.environ and not Path("conf/logging.yml").exists():
    if (_CONF / "logging.yml").is_file():
        LOGGING.configure(yaml.safe_load((_CONF / "logging.yml").read_text(encoding="utf-8")))

# A text may be longer than the 131,072 characters that Python's CSV reader stops at.
csv.field_size_limit(2**24)

HOOKS = PROJECT_HOOKS
# Kedro-Viz writes down how runs went, which it can in a repository only.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", *(["kedro-viz"] if _PACKAGED.is_dir() else []))

CONFIG_LOADER_CLASS = CheckedConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment names only what it changes; Kedro's own default drops the rest of the group.
    "merge_strategy": {"parameters": "soft"},
}
