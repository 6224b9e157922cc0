"""How a card begins: from a registered version, from nothing, as a clone of another, or from a file."""

from typing import Any

import msgspec
from msgspec.structs import asdict

from modelward.governance.access.permissions import Permission
from modelward.governance.cards import copying, prefill, reading, use_cases
from modelward.governance.cards.documents import use_cases as documents
from modelward.governance.cards.documents.entities import ImportFormat
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.governance.registry import use_cases as registry
from modelward.interfaces.web import card_content
from modelward.interfaces.web.uploads import Uploaded
from modelward.interfaces.web.views import Redirect, Shown, Views, show
from modelward.kernel import codec
from modelward.kernel.errors import Invalid, ModelwardError
from modelward.kernel.refs import CardRef, ModelRef, VersionRef
from modelward.storage.work import Work

views = Views()
IMPORT_BYTES_MAX = 4 << 20
FORMAT_TITLES = {
    ImportFormat.JSON: "Our own JSON",
    ImportFormat.AWS_JSON: "JSON of the hosted service",
    ImportFormat.HUGGING_FACE: "Hugging Face README.md",
    ImportFormat.MODEL_CARD_TOOLKIT: "Model Card Toolkit",
    ImportFormat.CYCLONEDX: "CycloneDX ML-BOM",
}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What the form is filled with at first."""

    source: str = ""
    version: str = ""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A card to begin: its name, and what it is about."""

    name: str = ""
    version: str = ""
    model: str = ""


class Cloned(msgspec.Struct, frozen=True, kw_only=True):
    """A card to clone."""

    source: str = ""
    name: str = ""
    version: str = ""
    model: str = ""


@views.page("GET", "/new-card", permission=Permission.CARD_WRITE)
def choose(work: Work) -> Shown:
    """The four ways to begin a card."""
    return _form("", {})


def _form(
    way: str,
    form: dict[str, str],
    problem: ModelwardError | None = None,
    *,
    preview: list[card_content.Section] | None = None,
) -> Shown:
    return show("card_new.html", way=way, form=form, problem=problem, formats=FORMAT_TITLES, preview=preview)


@views.page("GET", "/new-card/version", permission=Permission.CARD_WRITE)
def for_version(work: Work, query: Source) -> Shown:
    """The form for a card of a registered version, with what its registration fills in."""
    return _for_version(work, {"version": query.version.strip()}, None)


def for_version_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """That form once more."""
    return _for_version(work, form, problem)


def _for_version(work: Work, form: dict[str, str], problem: ModelwardError | None) -> Shown:
    preview: list[card_content.Section] | None = None
    suggested = ""
    if form.get("version"):
        try:
            registered = registered_version(work, VersionRef.parse(form["version"]))
            content, origins = prefill.prefill(registered)
            preview = card_content.sections(content, origins)
            suggested = str(registered.ref).replace("@", "-")
        except ModelwardError as found:
            problem = problem or found
    given = {"name": suggested, **{key: text for key, text in form.items() if text}}
    return _form("version", given, problem, preview=preview)


@views.page("POST", "/new-card/version", permission=Permission.CARD_WRITE, again=for_version_again)
def begin_for_version(work: Work, form: Begun) -> Redirect:
    """Create the card of a version, filled from its registration."""
    registered = registered_version(work, VersionRef.parse(form.version.strip(), field="version"))
    content, origins = prefill.prefill(registered)
    card = use_cases.create_card(
        work,
        name=form.name.strip(),
        content=content,
        version=registered.ref,
        note=f"Begun by hand for {registered.ref}.",
        origins=origins,
    )
    return Redirect(to=f"/cards/{card.name}/edit?done=created")


def registered_version(work: Work, ref: VersionRef) -> RegisteredVersion:
    """What the registry knows of a version, as a card takes it."""
    version = registry.get_version(work, ref)
    model = registry.get_model(work, version.model)
    told: dict[str, Any] = {
        **asdict(version.facts),
        **asdict(version),
        "features": msgspec.to_builtins(version.facts.features),
        "description": version.description or model.description,
        "owner": model.owner,
    }
    return codec.convert(told, RegisteredVersion)


@views.page("GET", "/new-card/empty", permission=Permission.CARD_WRITE)
def from_nothing(work: Work) -> Shown:
    """The form for an empty card."""
    return _form("empty", {})


def from_nothing_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """That form once more."""
    return _form("empty", form, problem)


@views.page("POST", "/new-card/empty", permission=Permission.CARD_WRITE, again=from_nothing_again)
def begin_from_nothing(work: Work, form: Begun) -> Redirect:
    """Create an empty card, for a model or for something that is not registered here."""
    model = ModelRef.parse(form.model.strip(), field="model") if form.model.strip() else None
    if model is not None:
        registry.get_model(work, model)
    card = use_cases.create_card(work, name=form.name.strip(), model=model)
    return Redirect(to=f"/cards/{card.name}/edit")


@views.page("GET", "/new-card/clone", permission=Permission.CARD_WRITE)
def from_another(work: Work, query: Source) -> Shown:
    """The form to clone a card."""
    return _form("clone", {"source": query.source})


def from_another_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """That form once more."""
    return _form("clone", form, problem)


@views.page("POST", "/new-card/clone", permission=Permission.CARD_WRITE, again=from_another_again)
def begin_from_another(work: Work, form: Cloned) -> Redirect:
    """Create a card with the content of another."""
    source = CardRef.parse(form.source.strip(), field="source")
    reading.get_card(work, source)
    version = VersionRef.parse(form.version.strip(), field="version") if form.version.strip() else None
    model = ModelRef.parse(form.model.strip(), field="model") if form.model.strip() else None
    if version is not None and model not in (None, version.model):
        raise Invalid(f"{version} is not a version of {model}.", field="version")
    if model is not None:
        registry.get_model(work, model)
    card = copying.clone_card(
        work,
        source,
        name=form.name.strip(),
        registered=registered_version(work, version) if version else None,
        model=model,
    )
    return Redirect(to=f"/cards/{card.name}?done=cloned")


@views.page("GET", "/new-card/import", permission=Permission.CARD_WRITE)
def from_file(work: Work) -> Shown:
    """The form to make a card from a file."""
    return _form("import", {})


def from_file_again(work: Work, form: dict[str, str], problem: ModelwardError) -> Shown:
    """That form once more; a browser never fills in a file by itself."""
    return _form("import", form, problem)


@views.page("POST", "/new-card/import", permission=Permission.CARD_WRITE, again=from_file_again)
def begin_from_file(work: Work, form: dict[str, str], file: Uploaded | None) -> Shown:
    """Create a card from a document of another format, and say what was dropped."""
    if file is None:
        raise Invalid("Choose a file to make the card from.", field="file")
    if file.size > IMPORT_BYTES_MAX:
        raise Invalid(f"{file.name[:80]} is larger than {IMPORT_BYTES_MAX} bytes.", field="file")
    if form.get("format", "") not in {each.value for each in ImportFormat}:
        raise Invalid("Choose the format of the file.", field="format")
    made = documents.create_from(
        work,
        name=form.get("name", "").strip(),
        format=ImportFormat(form["format"]),
        document=b"".join(file.chunks()),
        model=ModelRef.parse(form["model"].strip(), field="model") if form.get("model", "").strip() else None,
        note=f"Imported from {file.name[:200]}.",
    )
    return show("card_imported.html", card=made, file_name=file.name)
