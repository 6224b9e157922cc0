"""The models of the demo, trained here on the data of `data.py`, the same way every time. No server, no story.

Each ``train_...`` takes a table and returns a `TrainedModel`, whose artifact is a pickle of plain scikit-learn objects.
It is made and read on this side only; the server never unpickles it. scikit-learn is imported when training begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelward.cli.demo.data import split
from modelward.cli.demo.predictor import Features, Numbers, Predictor
from modelward.kernel.errors import Unavailable

RANDOM_STATE: Final = 2013


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedModel:
    """A model and all that a registry, a card and a reviewer want to know of it.

    `evaluation` holds rows the model never saw: identity, features and facets, then `label`, `prediction` and (for a
    classifier) `probability`. A metric ends in ``_training`` or ``_test``, after the rows it was measured on.
    """

    name: str
    artifact: bytes
    framework: str
    framework_version: str
    algorithm: str
    hyperparameters: Mapping[str, str]
    features: Features
    training_rows: int
    training_metrics: Mapping[str, float]
    evaluation: pa.Table
    predictor: Predictor

    def predict(self, table: pa.Table) -> Numbers:
        """For each row the probability of a 1, or the value itself for a regression."""
        return self.predictor.predict(table)

    def scored(self, table: pa.Table) -> pa.Table:
        """The table with `prediction` and, for a classifier, `probability` added. One vectorised pass."""
        return self.predictor.scored(table)


# --- mortgages: race and sex are never features, only facets

MORTGAGE_FACETS: Final = ("race", "sex")
APPROVE_FROM: Final = 0.8

PRESCREEN_FEATURES: Final[Features] = (
    ("housing_ratio_pct", "number"),
    ("debt_ratio_pct", "number"),
    ("loan_to_price", "number"),
    ("mortgage_history", "integer"),
    ("consumer_history", "integer"),
    ("bankruptcy", "boolean"),
)

CANDIDATE_FEATURES: Final[Features] = (
    *PRESCREEN_FEATURES,
    ("loan_amount_kusd", "number"),
    ("term_months", "integer"),
    ("units", "integer"),
    ("monthly_income_usd", "number"),
    ("coapplicant_income_usd", "number"),
    ("net_worth_kusd", "number"),
    ("liquid_assets_kusd", "number"),
    ("credit_lines", "integer"),
    ("credit_guidelines_met", "boolean"),
    ("unverifiable", "boolean"),
    ("cosigner", "boolean"),
    ("self_employed", "boolean"),
    ("industry_unemployment_pct", "number"),
)

APPROVAL_FEATURES: Final[Features] = (
    *CANDIDATE_FEATURES,
    ("married", "boolean"),
    ("dependents", "integer"),
    ("minority_tract", "boolean"),
)


def train_mortgage_approval(applications: pa.Table) -> TrainedModel:
    """Version 1: a logistic regression on what an underwriter of 1990 saw, census tract and marriage included."""
    _require_sklearn()
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    settings = {"C": 1.0, "max_iter": 500}
    estimator = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(**settings))
    recipe = _mortgage_recipe("mortgage-approval", APPROVAL_FEATURES, settings)
    return _trained(recipe, estimator, mortgage_training(applications))


def train_mortgage_approval_candidate(applications: pa.Table) -> TrainedModel:
    """Version 2: gradient-boosted trees, without marriage, dependents and the minority share of the census tract."""
    _require_sklearn()
    from sklearn.ensemble import HistGradientBoostingClassifier

    settings = {
        "max_iter": 60,
        "learning_rate": 0.05,
        "max_leaf_nodes": 6,
        "min_samples_leaf": 30,
        "l2_regularization": 1.0,
        "early_stopping": False,
        "random_state": RANDOM_STATE,
    }
    estimator = HistGradientBoostingClassifier(**settings)
    recipe = _mortgage_recipe("mortgage-approval", CANDIDATE_FEATURES, settings)
    return _trained(recipe, estimator, mortgage_training(applications))


def train_mortgage_prescreen(applications: pa.Table) -> TrainedModel:
    """A small decision tree on the ratios and the record, to tell early who will need a closer look: a draft."""
    _require_sklearn()
    from sklearn.tree import DecisionTreeClassifier

    settings = {"max_depth": 4, "min_samples_leaf": 40, "random_state": RANDOM_STATE}
    estimator = DecisionTreeClassifier(**settings)
    recipe = _mortgage_recipe("mortgage-prescreen", PRESCREEN_FEATURES, settings)
    return _trained(recipe, estimator, mortgage_training(applications))


def mortgage_training(applications: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The (training, test) applications: 40 % are held out, so that each group of race has tens of them."""
    return split(applications, by="application_id", test_share=0.4)


def _mortgage_recipe(name: str, features: Features, settings: Mapping[str, object]) -> "_Recipe":
    beside = ("application_id", *MORTGAGE_FACETS)
    return _Recipe(
        name=name, label="approved", features=features, beside=beside, settings=settings, threshold=APPROVE_FROM
    )


# --- flights: learned from January to March, tested on days held out whole

FLIGHT_TRAINING_MONTHS: Final = (1, 2, 3)
FLIGHT_FACETS: Final = ("carrier", "origin", "destination_region")
LATE_FROM: Final = 0.3

FLIGHT_FEATURES: Final[Features] = (
    ("carrier", "string"),
    ("origin", "string"),
    ("destination_region", "string"),
    ("hour", "integer"),
    ("weekday", "integer"),
    ("distance_miles", "number"),
    ("departures_in_hour", "integer"),
    ("plane_age_years", "number"),
    ("plane_seats", "number"),
    ("temperature_f", "number"),
    ("dew_point_f", "number"),
    ("humidity_pct", "number"),
    ("wind_speed_mph", "number"),
    ("precipitation_in", "number"),
    ("pressure_mb", "number"),
    ("visibility_miles", "number"),
)

AIR_TIME_FEATURES: Final[Features] = (
    ("carrier", "string"),
    ("origin", "string"),
    ("destination_region", "string"),
    ("hour", "integer"),
    ("distance_miles", "number"),
    ("plane_seats", "number"),
    ("temperature_f", "number"),
    ("wind_speed_mph", "number"),
    ("pressure_mb", "number"),
)


def train_flight_delay(flights: pa.Table) -> TrainedModel:
    """Will the flight arrive more than 15 minutes late? Only what is known before departure is asked."""
    _require_sklearn()
    from sklearn.ensemble import HistGradientBoostingClassifier

    settings = {
        "max_iter": 60,
        "learning_rate": 0.1,
        "max_leaf_nodes": 15,
        "min_samples_leaf": 200,
        "early_stopping": False,
        "random_state": RANDOM_STATE,
    }
    recipe = _Recipe(
        name="flight-delay",
        label="late",
        features=FLIGHT_FEATURES,
        beside=("flight_id", "flight_date"),
        settings=settings,
        threshold=LATE_FROM,
    )
    estimator = HistGradientBoostingClassifier(**settings, categorical_features=recipe.categorical)
    return _trained(recipe, estimator, flight_training(flights, label=recipe.label))


def train_flight_air_time(flights: pa.Table) -> TrainedModel:
    """How many minutes will the flight be in the air? A regression."""
    _require_sklearn()
    from sklearn.ensemble import HistGradientBoostingRegressor

    settings = {
        "max_iter": 60,
        "learning_rate": 0.15,
        "max_leaf_nodes": 15,
        "early_stopping": False,
        "random_state": RANDOM_STATE,
    }
    recipe = _Recipe(
        name="flight-air-time",
        label="air_time_min",
        features=AIR_TIME_FEATURES,
        beside=("flight_id", "flight_date"),
        settings=settings,
        threshold=None,
    )
    estimator = HistGradientBoostingRegressor(**settings, categorical_features=recipe.categorical)
    return _trained(recipe, estimator, flight_training(flights, label=recipe.label))


def flight_training(flights: pa.Table, *, label: str) -> tuple[pa.Table, pa.Table]:
    """The (training, test) flights of January to March that have the label: a quarter of the days is held out."""
    learned = pc.less_equal(pc.month(flights["flight_date"]), max(FLIGHT_TRAINING_MONTHS))
    known = flights.filter(pc.and_(learned, flights[label].is_valid()))
    return split(known, by="flight_date", test_share=0.25)


# --- the common road


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recipe:
    """What is to be trained, apart from the estimator and the rows."""

    name: str
    label: str
    features: Features
    beside: tuple[str, ...]
    """Columns of the evaluation that are no features: identity and facets."""
    settings: Mapping[str, object]
    threshold: float | None

    @property
    def categorical(self) -> list[int]:
        """Places of the features whose numbers stand for texts."""
        return [place for place, (_, kind) in enumerate(self.features) if kind == "string"]


def _trained(recipe: _Recipe, estimator: Any, rows: tuple[pa.Table, pa.Table]) -> TrainedModel:
    """Fit on the first table, measure on both, keep the second as evidence."""
    import sklearn

    training, test = rows
    texts = [name for name, kind in recipe.features if kind == "string"]
    levels = {name: tuple(sorted(pc.unique(training[name]).drop_null().to_pylist())) for name in texts}
    predictor = Predictor(features=recipe.features, levels=levels, threshold=recipe.threshold, estimator=estimator)
    estimator.fit(predictor.matrix(training), _labels(training, recipe.label))
    metrics = {
        f"{metric}_{share}": value
        for share, table in (("training", training), ("test", test))
        for metric, value in _measures(_labels(table, recipe.label), predictor.predict(table), predictor).items()
    }
    shown = dict.fromkeys((*recipe.beside, *(name for name, _ in recipe.features)))
    evaluation = test.select(list(shown)).append_column("label", pa.array(_labels(test, recipe.label)))
    last_step = estimator[-1] if hasattr(estimator, "steps") else estimator
    return TrainedModel(
        name=recipe.name,
        artifact=predictor.artifact(),
        framework="scikit-learn",
        framework_version=sklearn.__version__,
        algorithm=type(last_step).__name__,
        hyperparameters={name: str(value) for name, value in _told(recipe).items()},
        features=recipe.features,
        training_rows=training.num_rows,
        training_metrics=metrics,
        evaluation=predictor.scored(evaluation),
        predictor=predictor,
    )


def _told(recipe: _Recipe) -> dict[str, object]:
    """The settings as a card tells them: what training was given, and where the decision falls."""
    decision = {} if recipe.threshold is None else {"threshold": recipe.threshold}
    return {**recipe.settings, **decision}


def _labels(table: pa.Table, label: str) -> npt.NDArray[Any]:
    """The truth: 0 and 1 for a question of yes or no, the value itself otherwise."""
    column = table[label]
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.to_numpy())


def _measures(truth: npt.NDArray[Any], output: Numbers, predictor: Predictor) -> dict[str, float]:
    """How well the output meets the truth: a classifier's ranking and decisions, or a regression's errors."""
    from sklearn import metrics

    if predictor.threshold is None:
        return {
            "mean_absolute_error": float(metrics.mean_absolute_error(truth, output)),
            "r2": float(metrics.r2_score(truth, output)),
        }
    decided = predictor.decide(output)
    return {
        "accuracy": float(metrics.accuracy_score(truth, decided)),
        "auc": float(metrics.roc_auc_score(truth, output)),
        "brier": float(metrics.brier_score_loss(truth, output)),
        "precision": float(metrics.precision_score(truth, decided)),
        "recall": float(metrics.recall_score(truth, decided)),
    }


def _require_sklearn() -> None:
    if find_spec("sklearn") is None:
        raise Unavailable(
            "The demo trains its models with scikit-learn, which is not installed.",
            hint="Run `pip install 'modelward[demo]'`.",
        )
