"""Facts of trained models, read on the side of whoever trained them, for registering and for filling in cards."""

from pathlib import Path
from typing import Any

from modelward.sdk.training.facts import TrainingFacts

__all__ = ["TrainingFacts", "facts_of"]


def facts_of(trained: Any) -> TrainingFacts:
    """What a trained model tells of itself.

    Args:
        trained: a scikit-learn, XGBoost, LightGBM or PyTorch model, or the path of an ONNX file, a Hugging Face folder,
            or an MLflow run or model folder. Files are read as data: nothing in them is executed or unpickled.

    Raises:
        Invalid: it is of no known kind, or what describes it cannot be read.
        NotFound: there is no such path.
    """
    from modelward.sdk.training.folders import facts_of_path
    from modelward.sdk.training.objects import facts_of_object

    if isinstance(trained, str | Path):
        return facts_of_path(Path(trained))
    return facts_of_object(trained)
