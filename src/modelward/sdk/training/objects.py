"""Facts of a model that is in memory: scikit-learn, XGBoost, LightGBM, PyTorch. None of them is imported here.

A model is known by the names of its classes and asked in its own words, on the side of whoever trained it.
"""

import sys
from collections.abc import Callable
from typing import Any

import msgspec

from modelward.kernel.errors import Invalid
from modelward.sdk.training.facts import TrainingFacts, simple

CLASSES_SHOWN_MAX = 50
FEATURES_MAX = 1000
PROBLEMS = {
    "classifier": "Classification",
    "regressor": "Regression",
    "clusterer": "Clustering",
    "outlier_detector": "Outlier detection",
}


def facts_of_object(model: Any) -> TrainingFacts:
    """What a trained model in memory tells of itself.

    Raises:
        Invalid: it is of no known kind.
    """
    for ancestor in type(model).__mro__:
        reader = _READERS.get(ancestor.__module__.partition(".")[0])
        if reader is not None:
            return reader(model)
    raise Invalid(
        f"{type(model).__module__}.{type(model).__name__} is not a model that can be read.",
        field="model",
        hint="Give a scikit-learn, XGBoost, LightGBM or PyTorch model, or the path of an ONNX file, a Hugging Face "
        "folder or an MLflow run or model folder.",
    )


def _source(model: Any) -> str:
    return f"read off a {type(model).__name__} of {type(model).__module__.partition('.')[0]}"


def _version(package: str) -> str:
    return str(getattr(sys.modules.get(package), "__version__", ""))


def _environment(*packages: str) -> list[str]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    known = [(package, _version(package)) for package in packages]
    return [f"python {python}", *(f"{package} {version}" for package, version in known if version)]


def _sklearn(model: Any) -> TrainingFacts:
    steps = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    last = steps[-1]
    named = " -> ".join(type(step).__name__ for step in steps)
    return TrainingFacts(
        source=_source(model),
        framework="scikit-learn",
        framework_version=_version("sklearn"),
        algorithm=named if len(steps) == 1 else f"{type(model).__name__}: {named}",
        problem_type=_problem(model, last),
        hyperparameters=simple(model.get_params(deep=True)),
        training_environment=_environment("sklearn", "numpy", "scipy", "pandas"),
        features=_features(model),
        details=_estimator_details(model, last),
    )


def _problem(model: Any, last: Any) -> str:
    kind = getattr(model, "_estimator_type", None) or getattr(last, "_estimator_type", None)
    if kind is None and hasattr(last, "__sklearn_tags__"):
        kind = last.__sklearn_tags__().estimator_type
    classes = getattr(model, "classes_", None)
    if kind == "classifier" and classes is not None:
        return "Binary classification" if len(classes) == 2 else "Multiclass classification"
    return PROBLEMS.get(str(kind), "")


def _features(model: Any) -> list[dict[str, str]]:
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return []
    return [{"name": str(name), "type": "unknown"} for name in names[:FEATURES_MAX]]


def _estimator_details(model: Any, last: Any) -> dict[str, str]:
    details: dict[str, str] = {}
    classes = getattr(model, "classes_", None)
    if classes is not None:
        shown = ", ".join(str(each) for each in classes[:CLASSES_SHOWN_MAX])
        details["classes"] = shown + (
            f" and {len(classes) - CLASSES_SHOWN_MAX} more" if len(classes) > CLASSES_SHOWN_MAX else ""
        )
    for words, owner, name in (
        ("number of inputs", model, "n_features_in_"),
        ("iterations", last, "n_iter_"),
        ("trees", last, "n_estimators_"),
    ):
        value = getattr(owner, name, None)
        # Some keep one number for each class, as an array.
        each = [value] if isinstance(value, int) else list(getattr(value, "flat", ()))
        if each:
            details[words] = ", ".join(str(int(one)) for one in each[:CLASSES_SHOWN_MAX])
    return details


def _xgboost(model: Any) -> TrainingFacts:
    if hasattr(model, "get_params"):
        facts = _sklearn(model)
        facts.hyperparameters = {name: value for name, value in facts.hyperparameters.items() if value != "None"}
        facts.objective = str(getattr(model, "objective", "") or "")
    else:
        config = msgspec.json.decode(model.save_config())
        learner = config.get("learner", {})
        booster = learner.get("gradient_booster", {})
        trained = {
            **learner.get("learner_train_param", {}),
            **booster.get("tree_train_param", booster.get("updater", {})),
        }
        facts = TrainingFacts(
            source=_source(model),
            algorithm=f"Gradient boosted trees ({booster.get('name', 'gbtree')})",
            objective=str(learner.get("objective", {}).get("name", "")),
            hyperparameters=simple(trained),
            training_environment=_environment("xgboost", "numpy"),
            features=_boosted_features(model.feature_names, model.feature_types),
            details={"rounds": str(model.num_boosted_rounds()), "number of inputs": str(model.num_features())},
        )
        facts.problem_type = _problem_of_objective(facts.objective)
    facts.framework, facts.framework_version = "XGBoost", _version("xgboost")
    facts.training_environment = _environment("xgboost", "sklearn", "numpy")
    return facts


def _lightgbm(model: Any) -> TrainingFacts:
    if hasattr(model, "get_params"):
        facts = _sklearn(model)
        facts.objective = str(getattr(model, "objective_", "") or model.get_params().get("objective") or "")
    else:
        facts = TrainingFacts(
            source=_source(model),
            algorithm="Gradient boosted trees",
            objective=str(model.params.get("objective", "")),
            hyperparameters=simple(model.params),
            features=_boosted_features(model.feature_name(), None),
            details={"trees": str(model.num_trees()), "number of inputs": str(model.num_feature())},
        )
        facts.problem_type = _problem_of_objective(facts.objective)
    facts.framework, facts.framework_version = "LightGBM", _version("lightgbm")
    facts.training_environment = _environment("lightgbm", "sklearn", "numpy")
    return facts


def _boosted_features(names: list[str] | None, types: list[str] | None) -> list[dict[str, str]]:
    kinds = types or ["unknown"] * len(names or [])
    return [{"name": str(name), "type": str(kind)} for name, kind in zip(names or [], kinds, strict=False)][
        :FEATURES_MAX
    ]


def _problem_of_objective(objective: str) -> str:
    family = objective.partition(":")[0]
    for words, names in (
        ("Binary classification", ("binary",)),
        ("Multiclass classification", ("multi", "multiclass", "multiclassova", "softmax")),
        ("Ranking", ("rank", "lambdarank", "rank_xendcg")),
        (
            "Regression",
            ("reg", "regression", "regression_l1", "count", "huber", "poisson", "quantile", "tweedie", "gamma"),
        ),
    ):
        if family in names:
            return words
    return ""


def _torch(model: Any) -> TrainingFacts:
    parameters = list(model.parameters())
    total = sum(int(each.numel()) for each in parameters)
    layers: dict[str, int] = {}
    for module in model.modules():
        if not any(True for _ in module.children()):
            layers[type(module).__name__] = layers.get(type(module).__name__, 0) + 1
    return TrainingFacts(
        source=_source(model),
        framework="PyTorch",
        framework_version=_version("torch"),
        algorithm=f"Neural network ({type(model).__name__})",
        training_environment=_environment("torch", "numpy"),
        details={
            "parameters": f"{total:,}",
            "trainable parameters": f"{sum(int(each.numel()) for each in parameters if each.requires_grad):,}",
            "layers": ", ".join(f"{count} x {name}" for name, count in layers.items()),
            "number types": ", ".join(sorted({str(each.dtype) for each in parameters})),
        },
    )


_READERS: dict[str, Callable[[Any], TrainingFacts]] = {
    "sklearn": _sklearn,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "torch": _torch,
}
