"""Kedro's settings for this project."""

import csv
import logging
import os
import warnings
from pathlib import Path

import yaml
from kedro.framework.project import LOGGING
from kedro.utils import find_kedro_project

from multimodal_sentiment.config_loader import CheckedConfigLoader, own_configuration
from multimodal_sentiment.hooks import PROJECT_HOOKS

# Kedro 1.7 renames --pipeline; both spellings work, and this project documents the shorter one.
warnings.filterwarnings("ignore", message="Option .--pipeline. is deprecated")

# Datasets of a namespace are used outside of it: that is what their dots are for.
warnings.filterwarnings("ignore", message="One or more dataset names contain '.'")

# Where only the package is installed, a conf in the current folder takes the place of its own.
_CONF = own_configuration()
_IS_PACKAGED = _CONF.parent == Path(__file__).parent
CONF_SOURCE = str(_CONF) if _IS_PACKAGED and not Path("conf/base").is_dir() else "conf"

# Kedro takes conf/logging.yml from the folder that a command is started in: in any other, it would
# leave its own, noisier logging.
if "KEDRO_LOGGING_CONFIG" not in os.environ and not Path("conf/logging.yml").exists():
    if (_CONF / "logging.yml").is_file():
        LOGGING.configure(yaml.safe_load((_CONF / "logging.yml").read_text(encoding="utf-8")))

if CONF_SOURCE != "conf" and Path("conf/local").is_dir():
    logging.getLogger(__name__).warning(
        "conf/local is not read, as there is no conf/base: copy the folder %s here, and commands "
        "read a configuration of your own; what train is to change, it is given",
        _CONF,
    )

# A text may be longer than the 131,072 characters that Python's CSV reader stops at.
csv.field_size_limit(2**24)

HOOKS = PROJECT_HOOKS
# Kedro-Viz writes down how runs went, which it can in a project only.
_IS_IN_PROJECT = not _IS_PACKAGED and find_kedro_project(Path.cwd()) is not None
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", *([] if _IS_IN_PROJECT else ["kedro-viz"]))

CONFIG_LOADER_CLASS = CheckedConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment names only what it changes; Kedro's own default drops the rest of the group.
    "merge_strategy": {"parameters": "soft"},
}
