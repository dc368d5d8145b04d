"""`serinus package`: a trained model becomes a checked bundle, pinned in serinus.lock."""

from pathlib import Path
from typing import Annotated

import tomlkit
import typer

from cli.console import megabytes, notice, print_json, results, table
from cli.project import SETTINGS, find_project
from cli.report import StageProgress
from cli.target import PackEnvironment
from infra.names import DEFAULT_ENVIRONMENT


def package(
    source: Annotated[Path, typer.Argument(help="The model: .joblib, .pkl or .skops.")],
    name: Annotated[str, typer.Option(help="Name of the model, and of its endpoint.")],
    sample: Annotated[Path, typer.Option(help="Rows like those it will see: .csv or .parquet with a header.")],
    env: PackEnvironment = DEFAULT_ENVIRONMENT,
    target: Annotated[str | None, typer.Option(help="The sample's column that is the label: left out.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A further column of the sample to leave out.")] = None,
    trust: Annotated[list[str] | None, typer.Option(help="A type in a .skops file to trust.")] = None,
    allow_version_skew: Annotated[
        bool, typer.Option("--allow-version-skew", help="Take a model saved by another release of its library.")
    ] = False,
    labels: Annotated[float, typer.Option(help="Least share of rows whose label must agree.")] = 1.0,
    atol: Annotated[float, typer.Option(help="Absolute tolerance of numbers.")] = 1e-4,
    rtol: Annotated[float, typer.Option(help="Relative tolerance of numbers.")] = 1e-3,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Convert a trained model to ONNX, check that it agrees with the source, and pin it for an environment.

    Example: [bold]serinus package model.joblib --name churn --sample sample.csv[/]
    """
    from lambda_handlers.contract.tolerance import Tolerance
    from modelpack.package import package as run
    from modelpack.request import PackageRequest

    project = find_project()
    with StageProgress() as progress:
        packed = run(
            PackageRequest(
                source=source,
                name=name,
                sample=sample,
                project=project,
                environment=env,
                tolerance=Tolerance(labels=labels, atol=atol, rtol=rtol),
                target=target,
                drop=tuple(drop or ()),
                trust=tuple(trust or ()),
                allow_version_skew=allow_version_skew,
            ),
            progress,
        )
    if add_endpoint(project / SETTINGS, name):
        notice(f"added [endpoint.{name}] to {SETTINGS}")
    if as_json:
        print_json(packed.to_json())
        return
    shown = table("", "")
    parity = packed.parity
    shown.add_row("bundle", str(packed.bundle.relative_to(project)))
    shown.add_row("version", packed.version[:12])
    shown.add_row("size", f"{megabytes(packed.source_bytes)} source -> {megabytes(packed.graph_bytes)} ONNX")
    shown.add_row(
        "agreement",
        f"{parity.rows} rows: labels {parity.labels_equal:.2%} equal, "
        f"largest difference {parity.max_abs_difference:.2g}",
    )
    results.print(shown)
    notice(f"pinned for {env} in serinus.lock. Next: serinus deploy {name} --local")


def add_endpoint(settings: Path, name: str) -> bool:
    """Give the model an endpoint table in serinus.toml where it has none; the rest of the file stays as it is."""
    document = tomlkit.parse(settings.read_text(encoding="utf-8"))
    endpoints = document.get("endpoint", {})
    if name in endpoints or any(table.get("model") == name for table in endpoints.values()):
        return False
    text = settings.read_text(encoding="utf-8").rstrip("\n")
    beside = settings.with_name(settings.name + ".new")
    beside.write_text(f"{text}\n\n[endpoint.{name}]\n", encoding="utf-8")
    beside.replace(settings)
    return True
