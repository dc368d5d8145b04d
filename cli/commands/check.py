"""`serinus check`: holds a table against a model's constraints."""

from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.console import notice, print_json, results, table
from serinus.cli.errors import CliError
from serinus.cli.project import find_project
from serinus.cli.target import AsJson, PackEnvironment
from serinus.infra.names import DEFAULT_ENVIRONMENT


def check(
    data: Annotated[Path, typer.Argument(metavar="FILE", help="Rows with a header, as .csv or .parquet.")],
    name: Annotated[str, typer.Option(metavar="MODEL", help="Name of the model in serinus.lock.")],
    env: PackEnvironment = DEFAULT_ENVIRONMENT,
    as_json: AsJson = False,
) -> None:
    """Hold a table against the constraints of a packaged model: presence, type, missing values, range, categories,
    uniqueness. Those that constraints/MODEL.toml does not state were inferred from the sample.

    Exit codes: 0 it holds; 1 it breaks constraints, or settings or lock have errors; 4 the file is not a table.

    Example: [bold]serinus check new_rows.csv --name churn[/]
    """
    from serinus.infra.release import pinned_bundle
    from serinus.lambda_handlers.contract import constraints
    from serinus.lambda_handlers.contract.bundle import read_baseline, read_manifest
    from serinus.lambda_handlers.contract.constraints import Constraint
    from serinus.modelpack.data_check import check_table
    from serinus.modelpack.tables import read_table, texts_of

    folder = pinned_bundle(find_project(), env, name)
    baseline = read_baseline(folder)
    if constraints.KEY not in baseline:
        raise CliError(f"bundle {folder.name} has no constraints. Package the model again.")
    stated = {column: Constraint.from_json(item) for column, item in baseline[constraints.KEY].items()}
    texts = {column: constraint.values or () for column, constraint in stated.items() if constraint.type == "text"}
    frame = read_table(data, {**texts, **texts_of(read_manifest(folder).signature)}, most_rows=None, kind="table")
    checked = check_table(frame, stated)
    breaches = [item for item in checked if not item.tolerated]
    tolerated = [item for item in checked if item.tolerated]
    if unknown := [str(column) for column in frame.columns if column not in stated]:
        notice(f"not checked, because the model has no such columns: {', '.join(unknown)}")
    if as_json:
        listed = {
            name: [{**item._asdict(), "share": item.share} for item in items]
            for name, items in (("breaches", breaches), ("tolerated", tolerated))
        }
        print_json({"rows": len(frame), **listed})
    elif breaches:
        shown = table("column", "constraint", "allowed", "broken by", "for example")
        for item in breaches:
            examples = ", ".join(f"row {row}: {value}" for row, value in item.examples)
            shown.add_row(
                item.column, item.constraint, item.allowed, f"{item.broken_by:,} ({item.share:.2%})", examples
            )
        results.print(shown)
    else:
        results.print(f"{len(frame):,} rows hold the constraints on {len(stated)} columns")
        if tolerated:
            counts = ", ".join(f"{item.column} {item.constraint} {item.broken_by:,}" for item in tolerated)
            results.print(f"values that break a constraint, no more than it allows: {counts}")
    if breaches:
        raise typer.Exit(1)
