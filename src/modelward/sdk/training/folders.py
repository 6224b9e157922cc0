"""Facts of a model on disk: an ONNX file, a Hugging Face folder, an MLflow run or model. Descriptions are read, pickles never."""

from pathlib import Path
from typing import Any

import msgspec

from modelward.kernel.errors import Invalid, NotFound, Unavailable
from modelward.sdk.training.facts import FILE_BYTES_MAX, TrainingFacts, read_file
from modelward.sdk.yaml_text import read_documents

ONNX_BYTES_MAX = 2 << 30
HEADER_BYTES_MAX = 100 << 20
ENTRIES_MAX = 2000


def facts_of_path(path: Path) -> TrainingFacts:
    """What a file or folder tells of the model in it.

    Raises:
        NotFound: there is nothing at the path.
        Invalid: it is of no known kind, or its description is broken.
        Unavailable: an ONNX file is to be read and the package ``onnx`` is not installed.
    """
    if not path.exists():
        raise NotFound(f"There is nothing at {path}.", field="path")
    if path.is_file():
        if path.suffix == ".onnx":
            return _onnx(path)
        if path.name in ("MLmodel", "config.json", "meta.yaml"):
            return facts_of_path(path.parent)
    elif (path / "MLmodel").is_file():
        return _mlflow_model(path)
    elif (path / "meta.yaml").is_file() and (path / "params").is_dir():
        return _mlflow_run(path)
    elif (path / "config.json").is_file():
        return _hugging_face(path)
    raise Invalid(
        f"{path} is not a model that can be read.",
        field="path",
        hint="Give an .onnx file, a Hugging Face folder (config.json), or an MLflow model (MLmodel) or run (meta.yaml).",
    )


def _onnx(path: Path) -> TrainingFacts:
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ModuleNotFoundError as problem:
        raise Unavailable(
            "ONNX files are read by the package onnx, which is not installed.", hint="pip install onnx"
        ) from problem
    if path.stat().st_size > ONNX_BYTES_MAX:
        raise Invalid(f"{path} is larger than an ONNX file can be (2 GiB).", field="path")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError, OSError) as problem:
        raise Invalid(f"{path} is not an ONNX model: {problem}.", field="path") from problem
    graph = model.graph
    known = {each.name for each in graph.initializer}
    operators: dict[str, int] = {}
    for node in graph.node:
        operators[node.op_type] = operators.get(node.op_type, 0) + 1
    if not graph.node:
        raise Invalid(f"{path} is not an ONNX model: it has no nodes.", field="path")
    return TrainingFacts(
        source=f"read off {path.name}",
        framework="ONNX",
        framework_version=f"IR {model.ir_version}",
        algorithm=", ".join(f"{count} x {name}" for name, count in sorted(operators.items(), key=lambda each: -each[1])[:12]),
        features=[
            {"name": each.name, "type": _onnx_type(onnx, each)} for each in graph.input if each.name not in known
        ],
        details={
            "outputs": ", ".join(f"{each.name} ({_onnx_type(onnx, each)})" for each in graph.output),
            "opset": ", ".join(f"{each.domain or 'ai.onnx'} {each.version}" for each in model.opset_import),
            "producer": f"{model.producer_name} {model.producer_version}".strip(),
            "parameters": f"{sum(_size(each.dims) for each in graph.initializer):,}",
            **{each.key: each.value for each in list(model.metadata_props)[:20]},
        },
    )  # fmt: skip


def _size(dims: Any) -> int:
    total = 1
    for each in dims:
        total *= int(each)
    return total


def _onnx_type(onnx: Any, value: Any) -> str:
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type"):
        return str(value.type.WhichOneof("value") or "unknown").removesuffix("_type")
    kind = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    shape = [str(each.dim_value) if each.HasField("dim_value") else each.dim_param or "?" for each in tensor.shape.dim]
    return f"{kind}[{','.join(shape)}]"


def _json(path: Path, within: Path) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(read_file(path, within=within))
    except msgspec.DecodeError as problem:
        raise Invalid(f"{path} is not JSON: {problem}.", field=str(path)) from problem
    if not isinstance(found, dict):
        raise Invalid(f"{path} does not hold a JSON object.", field=str(path))
    return found


def _yaml(path: Path, within: Path) -> dict[str, Any]:
    documents = read_documents(read_file(path, within=within), name=str(path))
    found = documents[0].value if documents else {}
    if not isinstance(found, dict):
        raise Invalid(f"{path} does not hold a mapping.", field=str(path))
    return found


def _texts(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each not in (None, "")]


def _hugging_face(folder: Path) -> TrainingFacts:
    config = _json(folder / "config.json", folder)
    front = _front_matter(folder)
    architectures = _texts(config.get("architectures"))
    labels = config.get("id2label")
    plain = {
        key: value for key, value in config.items() if isinstance(value, int | float | bool) and not key.startswith("_")
    }
    details = {
        "model type": str(config.get("model_type", "")),
        "classes": ", ".join(str(each) for each in labels.values()) if isinstance(labels, dict) else "",
        "license": ", ".join(_texts(front.get("license"))),
        "languages": ", ".join(_texts(front.get("language"))),
        "base model": ", ".join(_texts(front.get("base_model"))),
        **_safetensors(folder),
    }
    version = str(config.get("transformers_version", ""))
    return TrainingFacts(
        source=f"read off the folder {folder.name}",
        framework="Transformers" if version or architectures else str(front.get("library_name", "")),
        framework_version=version,
        algorithm=", ".join(architectures),
        problem_type=str(front.get("pipeline_tag") or config.get("problem_type") or ""),
        hyperparameters={key: str(value) for key, value in plain.items()},
        training_metrics=_card_metrics(front),
        training_datasets=_texts(front.get("datasets")),
        details={key: value for key, value in details.items() if value},
    )


def _front_matter(folder: Path) -> dict[str, Any]:
    readme = folder / "README.md"
    if not readme.is_file():
        return {}
    lines = read_file(readme, within=folder).decode("utf-8", "replace").splitlines()
    if not lines or lines[0].strip() != "---":
        return {}
    end = next((place for place, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    documents = read_documents("\n".join(lines[1:end]).encode(), name=str(readme))
    return documents[0].value if documents and isinstance(documents[0].value, dict) else {}


def _card_metrics(front: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for model in front.get("model-index") or []:
        for result in (model.get("results") or []) if isinstance(model, dict) else []:
            for metric in (result.get("metrics") or []) if isinstance(result, dict) else []:
                if isinstance(metric, dict) and isinstance(metric.get("value"), int | float):
                    found[str(metric.get("name") or metric.get("type"))] = float(metric["value"])
    return found


def _safetensors(folder: Path) -> dict[str, str]:
    """Parameters and number types out of the headers of safetensors files: 8 bytes of length, then JSON."""
    total, kinds = 0, set()
    for path in sorted(folder.glob("*.safetensors"))[:ENTRIES_MAX]:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise Invalid(f"{path} leads out of {folder}.", field=str(path), hint="Only files of the folder are read.")
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(HEADER_BYTES_MAX, path.stat().st_size):
                raise Invalid(
                    f"{path} is not a safetensors file: its header would have {length:,} bytes.", field=str(path)
                )
            try:
                header = msgspec.json.decode(file.read(length), type=dict[str, Any])
                for name, tensor in header.items():
                    if name != "__metadata__":
                        total += _size(tensor["shape"])
                        kinds.add(str(tensor["dtype"]))
            except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as problem:
                raise Invalid(f"{path} is not a safetensors file: {problem}.", field=str(path)) from problem
    return {"parameters": f"{total:,}", "number types": ", ".join(sorted(kinds))} if kinds else {}


def _mlflow_model(folder: Path) -> TrainingFacts:
    told = _yaml(folder / "MLmodel", folder)
    flavors = {name: each for name, each in (told.get("flavors") or {}).items() if isinstance(each, dict)}
    name = next((each for each in flavors if each != "python_function"), "python_function")
    flavor = flavors.get(name, {})
    version = next((str(value) for key, value in flavor.items() if key.endswith("_version")), "")
    python = flavors.get("python_function", {}).get("python_version") or flavor.get("python_version")
    requirements = folder / "requirements.txt"
    environment = [f"python {python}"] if python else []
    if requirements.is_file():
        lines = read_file(requirements, within=folder).decode("utf-8", "replace").splitlines()
        environment += [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    details = {
        "MLflow run": str(told.get("run_id") or ""),
        "MLflow version": str(told.get("mlflow_version") or ""),
        "made at": str(told.get("utc_time_created") or ""),
        "outputs": ", ".join(f"{each['name']} ({each['type']})" for each in _signature(told, "outputs", folder)),
    }
    return TrainingFacts(
        source=f"read off the MLflow model {folder.name}",
        framework={"sklearn": "scikit-learn", "python_function": "MLflow pyfunc"}.get(name, name),
        framework_version=version,
        algorithm=str(flavor.get("model_class") or flavor.get("model_type") or ""),
        training_environment=environment,
        features=_signature(told, "inputs", folder),
        details={key: value for key, value in details.items() if value},
    )


def _signature(told: dict[str, Any], side: str, folder: Path) -> list[dict[str, str]]:
    text = (told.get("signature") or {}).get(side)
    if not text:
        return []
    try:
        columns = msgspec.json.decode(text)
    except msgspec.DecodeError as problem:
        raise Invalid(
            f"The signature of {folder / 'MLmodel'} is not JSON: {problem}.", field=f"signature.{side}"
        ) from problem
    found = []
    for place, each in enumerate(columns if isinstance(columns, list) else []):
        spec = each.get("tensor-spec", {})
        kind = f"{spec.get('dtype')}{spec.get('shape')}" if spec else each.get("type", "unknown")
        found.append({"name": str(each.get("name", place)), "type": str(kind)})
    return found


def _mlflow_run(folder: Path) -> TrainingFacts:
    meta = _yaml(folder / "meta.yaml", folder)
    tags = _entries(folder, "tags")
    metrics: dict[str, float] = {}
    for name, text in _entries(folder, "metrics").items():
        last = text.strip().splitlines()[-1].split() if text.strip() else []
        try:
            metrics[name] = float(last[1])  # each line has the time in ms, the value and the step
        except (IndexError, ValueError) as problem:
            raise Invalid(f"The metric {name!r} of {folder} is broken.", field=f"metrics/{name}") from problem
    details = {
        "MLflow run": str(meta.get("run_id") or folder.name),
        "run name": str(meta.get("run_name") or tags.get("mlflow.runName") or ""),
        "experiment": str(meta.get("experiment_id") or ""),
        "commit": tags.get("mlflow.source.git.commit", ""),
        "program": tags.get("mlflow.source.name", ""),
    }
    return TrainingFacts(
        source=f"read off the MLflow run {meta.get('run_id') or folder.name}",
        algorithm=tags.get("estimator_name", ""),
        framework="scikit-learn" if tags.get("estimator_class", "").startswith("sklearn.") else "",
        hyperparameters={name: text.strip() for name, text in _entries(folder, "params").items()},
        training_metrics=metrics,
        details={key: value for key, value in details.items() if value},
    )


def _entries(folder: Path, kind: str) -> dict[str, str]:
    """The small files of a run: name -> content."""
    found: dict[str, str] = {}
    for path in sorted((folder / kind).glob("**/*"))[:ENTRIES_MAX]:
        if path.is_file():
            content = read_file(path, within=folder, bytes_max=FILE_BYTES_MAX)
            found[str(path.relative_to(folder / kind))] = content.decode("utf-8", "replace")
    return found
