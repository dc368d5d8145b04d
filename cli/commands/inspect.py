"""`serinus inspect`: describes a packaged model without deploying it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from serinus.cli.console import megabytes, print_json, results, table
from serinus.cli.html_output import require_writable, write_page
from serinus.cli.project import find_project
from serinus.cli.target import AsJson, PackEnvironment
from serinus.infra.names import DEFAULT_ENVIRONMENT
from serinus.lambda_handlers.contract import constraints, monitored
from serinus.lambda_handlers.contract.build import BUILD_DIR, read_build
from serinus.lambda_handlers.contract.signature import Signature


def inspect(
    model: Annotated[str, typer.Argument(help="Name of the model in serinus.lock.")],
    env: PackEnvironment = DEFAULT_ENVIRONMENT,
    card: Annotated[bool, typer.Option("--card", help="Print the model card (Markdown).")] = False,
    sizes: Annotated[
        bool, typer.Option("--sizes", help="Print the size of each part of the bundle and its layers.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for the model card, as one self-contained HTML page."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Describe the bundle that an environment pins: signature, sizes, model card.

    Example: [bold]serinus inspect churn --sizes[/]
    """
    from serinus.infra.release import pinned_bundle  # imports pydantic, which --help does not need
    from serinus.lambda_handlers.contract import bundle

    if html is not None:
        require_writable(html)
    project = find_project()
    folder = pinned_bundle(project, env, model)
    manifest = bundle.read_manifest(folder)
    files = {name: (folder / name).stat().st_size for name in bundle.shipped_files(folder)}
    if as_json:
        baseline = bundle.read_baseline(folder)
        stated = {key: baseline[key] for key in (monitored.KEY, constraints.KEY) if key in baseline}
        print_json({**manifest.to_json(), "bundle": str(folder), "files": files, **stated})
    elif html is not None:
        from serinus.cli.model_card_html import render

        write_page(html, render(folder))
        results.print(str(html))
    elif card:
        _print_card((folder / bundle.CARD).read_text(encoding="utf-8"))
    elif sizes:
        _print_sizes(project, files)
    else:
        results.print(f"{manifest.name} {manifest.short_version}  {manifest.framework}, {manifest.precision}")
        results.print(f"{folder.relative_to(project)}, {megabytes(sum(files.values()))}")
        _print_signature(manifest.signature)
        _print_monitored(bundle.read_baseline(folder))


def _print_monitored(baseline: dict[str, Any]) -> None:
    if monitored.KEY not in baseline:
        return
    watched = monitored.Monitored.from_json(baseline[monitored.KEY])
    compared = [column.name for column in watched.columns if column.bands]
    results.print(f"monitored: {', '.join(compared) or 'no column'}")
    for name, reason in watched.unwatched.items():
        results.print(f"not monitored: {name} ({reason})")


def _print_card(card: str) -> None:
    """Wrapped on a terminal; elsewhere as wide as the card's longest line, so that nothing is cut."""
    from rich.markdown import Markdown

    width = None if results.is_terminal else max(map(len, card.splitlines()), default=0)
    results.print(Markdown(card), soft_wrap=False, width=width)


def _print_signature(signature: Signature) -> None:
    shown = table("feature", "dtype", "missing", "values")
    for feature in signature.features:
        if feature.categories is not None:
            listed = ", ".join(str(value) for value in feature.categories[:6]) + (
                ", …" if len(feature.categories) > 6 else ""
            )
            values = f"{listed} (others {feature.unseen})"
        elif feature.minimum is not None and feature.maximum is not None:
            values = f"{feature.minimum:g} to {feature.maximum:g} in the sample"
        else:
            values = ""
        shown.add_row(feature.name, feature.dtype, feature.missing, values)
    results.print(shown)
    for output in signature.outputs:
        results.print(f"returns {output.role}: {output.dtype} {list(output.shape)}")
    if signature.classes is not None:
        results.print(f"classes: {', '.join(str(label) for label in signature.classes)}")


def _print_sizes(project: Path, files: dict[str, int]) -> None:
    from serinus.modelpack.layers import sizes

    shown = table("part", ">size")
    for name, size in files.items():
        shown.add_row(f"bundle {name}", megabytes(size))
    for key, layer in read_build(project / BUILD_DIR).runtime.items():
        shown.add_row(f"layer {key}, unzipped", megabytes(layer.unzipped_bytes))
        for package, size in sizes(project / BUILD_DIR / layer.path):
            shown.add_row(f"  {package}", megabytes(size))
    results.print(shown)
