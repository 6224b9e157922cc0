"""A trained model tells of itself, in memory or on disk, and nothing on disk is executed."""

import json
import os
import pickle
import struct

import numpy as np
import pytest

from modelward.kernel.errors import Invalid, NotFound
from modelward.sdk.training import facts_of

ROWS = 60


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(ROWS, 3))
    return inputs, (inputs[:, 0] > 0).astype(int)


def patch_of(trained):
    return facts_of(trained).for_card()


def test_a_pipeline_tells_its_steps_classes_and_parameters(data):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    facts = facts_of(make_pipeline(StandardScaler(), LogisticRegression(C=2.5)).fit(*data))

    assert facts.algorithm == "Pipeline: StandardScaler -> LogisticRegression"
    assert facts.problem_type == "Binary classification"
    assert facts.hyperparameters["logisticregression__C"] == "2.5"
    assert facts.details["classes"] == "0, 1"
    assert facts.details["number of inputs"] == "3"
    assert any(each.startswith("python 3.") for each in facts.training_environment)


def test_a_regressor_that_knows_its_columns_tells_them(data):
    import polars
    from sklearn.ensemble import GradientBoostingRegressor

    frame = polars.DataFrame(data[0], schema=["age", "sum", "days"], orient="row")
    facts = facts_of(GradientBoostingRegressor(n_estimators=5).fit(frame, data[0][:, 1]))

    assert facts.problem_type == "Regression"
    assert [each["name"] for each in facts.features] == ["age", "sum", "days"]
    assert facts.details["trees"] == "5"


@pytest.mark.parametrize("package, name", [("xgboost", "XGBClassifier"), ("lightgbm", "LGBMClassifier")])
def test_boosted_trees_tell_of_themselves_by_both_interfaces(data, package, name):
    boosting = pytest.importorskip(package)
    wrapped = getattr(boosting, name)(n_estimators=4, max_depth=2).fit(*data)
    booster = wrapped.get_booster() if package == "xgboost" else wrapped.booster_

    of_wrapped, of_booster = facts_of(wrapped), facts_of(booster)

    assert of_wrapped.framework.lower() == of_booster.framework.lower() == package
    assert of_wrapped.framework_version == boosting.__version__
    assert of_wrapped.problem_type == of_booster.problem_type == "Binary classification"
    assert of_wrapped.hyperparameters["max_depth"] == "2"
    assert of_booster.details["number of inputs"] == "3"
    assert "binary" in of_booster.objective


def test_a_network_tells_its_layers_and_parameters():
    Linear = type("Linear", (), {"__module__": "torch.nn.modules.linear"})
    weights = type("P", (), {"requires_grad": True, "dtype": "torch.float32", "numel": lambda self: 12})()
    leaf = Linear()
    leaf.children = list
    Net = type("Net", (), {"__module__": "torch.nn.modules.module"})
    net = Net()
    net.parameters, net.modules, net.children = lambda: [weights], lambda: [net, leaf], lambda: [leaf]

    facts = facts_of(net)

    assert facts.framework == "PyTorch"
    assert facts.details["parameters"] == "12"
    assert facts.details["layers"] == "1 x Linear"


def test_an_onnx_file_tells_its_inputs_and_outputs(tmp_path):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    node = helper.make_node("Gemm", ["x", "w"], ["y"])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 2], [0.0] * 6)
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])], [weights],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, producer_name="by hand"), str(tmp_path / "m.onnx"))

    facts = facts_of(tmp_path / "m.onnx")

    assert facts.features == [{"name": "x", "type": "float[batch,3]"}]
    assert facts.details["outputs"] == "y (float[batch,2])"
    assert facts.details["parameters"] == "6"
    assert facts.algorithm == "1 x Gemm"


@pytest.mark.parametrize("content", [b"", b"not a model", os.urandom(400)])
def test_an_onnx_file_that_is_none_is_refused(tmp_path, content):
    pytest.importorskip("onnx")
    (tmp_path / "m.onnx").write_bytes(content)

    with pytest.raises(Invalid, match="not an ONNX model"):
        facts_of(tmp_path / "m.onnx")


class Trap:
    """Tells when it is unpickled."""

    def __reduce__(self):
        return (os.mkdir, (os.environ["TRAP_FOLDER"],))


def hugging_face(folder):
    header = json.dumps({"a": {"dtype": "F16", "shape": [4, 5], "data_offsets": [0, 40]}, "__metadata__": {}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(40))
    (folder / "config.json").write_text(
        json.dumps({"model_type": "bert", "architectures": ["BertForX"], "num_layers": 2, "transformers_version": "5.1",
                    "id2label": {"0": "no", "1": "yes"}})
    )  # fmt: skip
    (folder / "README.md").write_text(
        "---\nlicense: mit\ndatasets: [imdb]\npipeline_tag: text-classification\nmodel-index:\n- name: m\n  results:\n"
        "  - metrics:\n    - {type: accuracy, value: 0.9}\n---\n# Hello\n"
    )
    return folder


def test_a_hugging_face_folder_tells_of_itself_and_its_pickles_are_never_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAP_FOLDER", str(tmp_path / "sprung"))
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))

    facts = facts_of(hugging_face(tmp_path))

    assert not (tmp_path / "sprung").exists()
    assert facts.algorithm == "BertForX"
    assert facts.problem_type == "text-classification"
    assert facts.training_metrics == {"accuracy": 0.9}
    assert facts.training_datasets == ["imdb"]
    assert facts.details["parameters"] == "20"
    assert facts.details["classes"] == "no, yes"
    assert facts.details["license"] == "mit"


def test_a_safetensors_header_that_claims_more_than_the_file_has_is_refused(tmp_path):
    hugging_face(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")

    with pytest.raises(Invalid, match="not a safetensors file"):
        facts_of(tmp_path)


def mlflow_model(folder):
    (folder / "MLmodel").write_text(
        "flavors:\n  python_function: {python_version: 3.11.7}\n  sklearn: {sklearn_version: 1.8.0, pickled_model: model.pkl}\n"
        "mlflow_version: 3.1.0\nrun_id: abc\nutc_time_created: '2026-01-01 10:00:00'\nsignature:\n"
        '  inputs: \'[{"name": "age", "type": "double"}]\'\n'
        '  outputs: \'[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]\'\n'
    )
    (folder / "requirements.txt").write_text("# made\nscikit-learn==1.8.0\n")
    return folder


def test_an_mlflow_model_tells_its_signature_and_requirements(tmp_path):
    facts = facts_of(mlflow_model(tmp_path))

    assert (facts.framework, facts.framework_version) == ("scikit-learn", "1.8.0")
    assert facts.features == [{"name": "age", "type": "double"}]
    assert facts.details["outputs"] == "0 (int64[-1])"
    assert facts.training_environment == ["python 3.11.7", "scikit-learn==1.8.0"]


def mlflow_run(folder):
    for kind, name, text in (
        ("params", "C", "1.5"), ("metrics", "val/auc", "1 0.5 0\n2 0.7 1\n"), ("tags", "mlflow.runName", "calm-bird"),
        ("tags", "estimator_name", "SVC"), ("tags", "estimator_class", "sklearn.svm.SVC"),
    ):  # fmt: skip
        (folder / kind / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / kind / name).write_text(text)
    (folder / "meta.yaml").write_text("run_id: abc\nexperiment_id: '0'\n")
    return folder


def test_an_mlflow_run_tells_its_parameters_and_last_metrics(tmp_path):
    facts = facts_of(mlflow_run(tmp_path))

    assert facts.hyperparameters == {"C": "1.5"}
    assert facts.training_metrics == {"val/auc": 0.7}
    assert facts.algorithm == "SVC"
    assert facts.details["run name"] == "calm-bird"


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").symlink_to(tmp_path / "secret")

    with pytest.raises(Invalid, match="leads out of"):
        facts_of(tmp_path / "model")


def test_a_description_of_gigabytes_is_not_read(tmp_path):
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(10 << 30)

    with pytest.raises(Invalid, match="bytes; at most"):
        facts_of(tmp_path)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda folder: (folder / "config.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "JSON object"),
        (lambda folder: (folder / "MLmodel").write_text("a: [1"), "line 1"),
        (lambda folder: (folder / "MLmodel").write_text("- a"), "mapping"),
        (lambda folder: (mlflow_model(folder) / "MLmodel").write_text("signature: {inputs: '{'}"), "signature"),
        (lambda folder: (mlflow_run(folder) / "metrics" / "val" / "auc").write_text("broken"), "'val/auc'"),
        (lambda folder: None, "not a model that can be read"),
    ],
)
def test_a_broken_description_is_told(tmp_path, make, words):
    make(tmp_path)

    with pytest.raises(Invalid) as caught:
        facts_of(tmp_path)
    assert words in str(caught.value)


def test_what_is_no_model_is_refused():
    with pytest.raises(Invalid, match="is not a model that can be read"):
        facts_of({"a": 1})
    with pytest.raises(NotFound, match="nothing at"):
        facts_of("/no/such/path")


def test_what_a_model_tells_keeps_to_the_limits_of_a_card(tmp_path):
    import jsonschema_rs

    from modelward.governance.cards.schema import schema

    folder = mlflow_run(tmp_path)
    for number in range(300):
        (folder / "params" / f"p{number}").write_text("x" * 5000)
        (folder / "metrics" / f"m{number}").write_text("1 0.5 0")
    (folder / "metrics" / "broken").write_text("1 nan 0")

    assert list(jsonschema_rs.validator_for(schema()).iter_errors(patch_of(folder))) == []
