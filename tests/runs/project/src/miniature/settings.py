"""The hooks of the real project, and its loader without the checks of the real parameters."""

import warnings

from multimodal_sentiment.config_loader import ThreadSafeConfigLoader
from multimodal_sentiment.hooks import PROJECT_HOOKS

warnings.filterwarnings("ignore", message="Option .--pipeline. is deprecated")

HOOKS = PROJECT_HOOKS
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
CONFIG_LOADER_CLASS = ThreadSafeConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft"},
}
