"""What is known of a trained model, whoever trained it: facts for a registered version and for a model card."""

import math
from pathlib import Path
from typing import Any

import msgspec

from modelward.kernel.errors import Invalid, NotFound

TEXT_CHARACTERS_MAX = 1024
PARAMETERS_MAX = 100
METRICS_MAX = 50
ITEMS_MAX = 15
FILE_BYTES_MAX = 16 << 20


class TrainingFacts(msgspec.Struct, kw_only=True):
    """What was read off a trained model; empty where nothing was found. ``source`` says where, in words."""

    source: str
    framework: str = ""
    framework_version: str = ""
    algorithm: str = ""
    problem_type: str = ""
    objective: str = ""
    hyperparameters: dict[str, str] = {}
    training_metrics: dict[str, float] = {}
    training_datasets: list[str] = []
    training_rows: int | None = None
    training_environment: list[str] = []
    features: list[dict[str, str]] = []
    details: dict[str, str] = {}

    def for_version(self) -> dict[str, Any]:
        """The facts that a version is registered with."""
        kept = msgspec.to_builtins(self)
        return {
            key: value
            for key, value in kept.items()
            if key not in ("source", "details") and value not in ("", None, {}, [])
        }

    def for_card(self) -> dict[str, Any]:
        """A merge patch of a card's content, within the limits of the schema."""
        framework = f"{self.framework} {self.framework_version}".strip()
        custom = {"framework": framework, **self.details}
        if self.features:
            custom["inputs"] = ", ".join(f"{each['name']} ({each['type']})" for each in self.features)
        job = {
            "training_datasets": [_cut(each) for each in self.training_datasets[:ITEMS_MAX]],
            "training_environment": {"container_image": [_cut(each) for each in self.training_environment[:ITEMS_MAX]]},
            "training_metrics": [
                {"name": _cut(name), "value": value}
                for name, value in list(self.training_metrics.items())[:METRICS_MAX]
                if math.isfinite(value)
            ],
            "hyper_parameters": [
                {"name": _cut(name), "value": _cut(value)}
                for name, value in list(self.hyperparameters.items())[:PARAMETERS_MAX]
            ],
        }
        patch = {
            "model_overview": {
                "algorithm_type": _cut(self.algorithm),
                "problem_type": _cut(self.problem_type),
            },
            "training_details": {
                "objective_function": _cut(self.objective),
                "training_observations": "" if self.training_rows is None else f"{self.training_rows} rows",
                "training_job_details": job,
            },
            "additional_information": {"custom_details": {key: _cut(value) for key, value in custom.items()}},
        }
        filled: dict[str, Any] = _without_empty(patch)
        return filled


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARACTERS_MAX else text[: TEXT_CHARACTERS_MAX - 1] + "…"


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in ("", None, {}, [])}
    return value


def simple(values: dict[str, Any]) -> dict[str, str]:
    """The parameters that a line can hold: texts, numbers, booleans and None; nested objects are left out."""
    return {
        str(name): str(value)
        for name, value in values.items()
        if value is None or isinstance(value, str | int | float | bool)
    }


def read_file(path: Path, *, within: Path, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """The bytes of a file of a folder.

    Raises:
        NotFound: there is no such file.
        Invalid: it leads out of the folder, or is larger than a description of a model should be.
    """
    real = path.resolve()
    if not real.is_file():
        raise NotFound(f"There is no file {path}.", field=str(path))
    if not real.is_relative_to(within.resolve()):
        raise Invalid(f"{path} leads out of {within}.", field=str(path), hint="Only files of the folder are read.")
    size = real.stat().st_size
    if size > bytes_max:
        raise Invalid(f"{path} has {size:,} bytes; at most {bytes_max:,} are read.", field=str(path))
    return real.read_bytes()
