"""A model packaged from Python, as `serinus package` packages a file: an object of a notebook, or a path."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from serinus.modelpack.errors import ModelpackError, RequestError, first_line
from serinus.modelpack.progress import Progress
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.passed_rows import PassedRows, write_tables
from serinus.progress_line import ProgressLine

if TYPE_CHECKING:
    from serinus.loaded import LoadedModel
    from serinus.modelpack.sources.live import LiveModel

#: Stages of `modelpack.pipeline`.
_STAGES = 7


@dataclass(frozen=True, slots=True, repr=False)
class PackagedModel:
    """A packaged model. A notebook shows its model card; ``result`` holds every measurement.

    ``bundle`` is the bundle's folder, ``version`` 64 hex digits; ``is_pinned`` says whether serinus.lock now pins
    it for ``environment``. ``card`` is the model card as Markdown.
    """

    result: PackageResult
    is_pinned: bool
    card: str = field(compare=False)
    card_html: str = field(compare=False)

    @property
    def name(self) -> str:
        return self.result.name

    @property
    def version(self) -> str:
        return self.result.version

    @property
    def bundle(self) -> Path:
        return self.result.bundle

    @property
    def environment(self) -> str:
        return self.result.environment

    def load(self) -> "LoadedModel":
        """The bundle, opened to predict in this process; see `serinus.load`."""
        from serinus.loaded import load

        return load(self.bundle)

    def __repr__(self) -> str:
        result, parity = self.result, self.result.parity
        where = f"pinned for {self.environment}" if self.is_pinned else "not pinned"
        return (
            f"<{self.name} {self.version[:12]}: {result.estimator}, {result.graph_bytes / 1e3:,.1f} kB of ONNX, "
            f"largest difference {parity.max_abs_difference:.1e} on {parity.rows:,} rows, {where}>"
        )

    def _repr_html_(self) -> str:
        return self.card_html

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        del include, exclude  # IPython filters what is returned
        return {"text/plain": repr(self), "text/markdown": self.card, "text/html": self.card_html}


@overload
def package(model: PackageRequest, X: Progress | None = None) -> PackageResult: ...


@overload
def package(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    name: str,
    project: str | Path | None = None,
    environment: str = "dev",
    holdout: Any = None,
    traffic: Any = None,
    progress: bool = True,
    **options: Any,
) -> PackagedModel: ...


def package(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    name: str | None = None,
    project: str | Path | None = None,
    environment: str = "dev",
    holdout: Any = None,
    traffic: Any = None,
    progress: bool = True,
    **options: Any,
) -> PackagedModel | PackageResult:
    """Convert a trained model to ONNX, check that it agrees with the model on ``X``, and pin it in serinus.lock.

    ``model`` is a fitted model (scikit-learn, XGBoost, LightGBM, CatBoost), whose own predictions are the
    reference, or the path of a model file. ``X`` are rows like those that the endpoint will receive: a DataFrame,
    an array, a list of rows, or the path of a .csv or .parquet file. ``y`` are their labels, which are only
    scored, or the name of their column in a file. ``holdout`` is a pair (X, y) or a file on which metrics are
    compared; ``traffic`` are rows of live requests. ``project`` is the folder with serinus.toml; None: the working
    folder, or the nearest one above it. ``options`` are further fields of `PackageRequest`, such as ``tolerance``,
    ``precision`` or ``dry_run``. ``progress`` shows a line while it works.

    As `serinus package`, it adds [endpoint.NAME] to serinus.toml if no endpoint serves the model. With a
    `PackageRequest` as its only argument it packages a file, and changes nothing in serinus.toml.

    Raises `ModelpackError`, and `ContractError` where the project's lock is damaged; nothing is written then.
    """
    if isinstance(model, PackageRequest):
        from serinus.modelpack import package as modelpack

        if y is not None or name is not None or options:
            raise TypeError("package(PackageRequest(…)) takes no other arguments: they are fields of the request.")
        return modelpack.package(model, X)
    if name is None:
        raise TypeError(f"package() needs the model's name: package({_shown(model)}, X, y, name='churn')")
    folder = _project(project)
    from serinus.cli.errors import CliError
    from serinus.cli.settings_file import add_endpoint, read_settings
    from serinus.infra.names import SETTINGS

    writes = not options.get("dry_run")
    pins = writes and not options.get("candidate")
    try:
        if pins:
            read_settings(folder / SETTINGS)
        with ProgressLine(f"packaging {name}", _STAGES, silent=not progress) as shown:
            fields = options | {"name": name, "project": folder, "environment": environment}
            packaged = _package(model, PassedRows(X, y, holdout, traffic), fields, shown, pins=pins)
            added = pins and add_endpoint(folder / SETTINGS, name)
            shown.finish(_outcome(packaged, name, writes=writes, added=added))
    except CliError as error:
        raise RequestError(str(error)) from error
    return packaged


def _package(
    model: Any, rows: PassedRows, fields: Mapping[str, Any], progress: ProgressLine, *, pins: bool
) -> PackagedModel:
    from serinus.modelpack.package import check
    from serinus.modelpack.temporary_folder import TemporaryFolder

    is_path = isinstance(model, str | os.PathLike)
    with TemporaryFolder() as scratch:
        source = Path(model if is_path else type(model).__name__)
        # Checked first: the converters that everything else needs may not be installed.
        check(PackageRequest(source=source, sample=None, **fields))
        tables = write_tables(model, rows, scratch)
        request = PackageRequest(source=source, **{**tables, **fields})
        check(request)
        live = None
        if not is_path:
            from serinus.modelpack.sources.live import live_model

            live = live_model(model, scratch)
        return _build(request, live, scratch / "draft", progress, pins=pins)


def _build(
    request: PackageRequest, live: "LiveModel | None", draft: Path, progress: ProgressLine, *, pins: bool
) -> PackagedModel:
    """The bundle in folder ``draft``, published. An exception of the model's own code is one of ours here."""
    from serinus.cli.model_card_html import render_part
    from serinus.lambda_handlers.contract.bundle import CARD
    from serinus.lambda_handlers.contract.errors import ContractError
    from serinus.modelpack.pipeline import build_bundle
    from serinus.modelpack.publish import publish

    draft.mkdir()
    try:
        drafted = build_bundle(request, progress, draft, live)
    except (ModelpackError, ContractError):
        raise
    except (Exception, SystemExit) as error:
        raise ModelpackError(
            f"{request.source} could not be packaged: {type(error).__name__}: {_first_line(error)}. Nothing was "
            "written; the error above shows where the model's code raised it."
        ) from error
    card, html = (draft / CARD).read_text(encoding="utf-8"), render_part(draft)
    return PackagedModel(publish(request, drafted, draft), pins, card, html)


def _first_line(error: BaseException) -> str:
    return first_line(error) if isinstance(error, Exception) else str(error)


def _outcome(packaged: PackagedModel, name: str, *, writes: bool, added: bool) -> str:
    seconds = packaged.result.seconds["total"]
    done = f"packaged {name} {packaged.version[:12]} in {seconds:.1f} s"
    if not writes:
        return f"{done}; nothing was written (dry_run)"
    if not packaged.is_pinned:
        return f"{done}; not pinned"
    endpoint = f", and added [endpoint.{name}] to serinus.toml" if added else ""
    return f"{done}; pinned it for {packaged.environment} in serinus.lock{endpoint}"


def _project(project: str | Path | None) -> Path:
    """The project's folder; raises `RequestError` where there is none."""
    from serinus.cli.errors import CliError
    from serinus.cli.project import find_project

    try:
        return find_project(None if project is None else Path(project))
    except CliError as error:
        raise RequestError(f"{error} Or pass project=..., the folder of one.") from error


def _shown(model: Any) -> str:
    return repr(str(model)) if isinstance(model, str | os.PathLike) else type(model).__name__.lower()
