"""An endpoint exists where its model is pinned, or where its `environments` say so; the others do not need it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.infra.errors import InfraError, LintError, ReleaseError, SettingsError
from serinus.infra.lint import lint, lint_left_out
from serinus.infra.release import pinned_versions, split_by_pin, unpinned_advice
from serinus.infra.settings import load_settings
from serinus.infra.synth import required_layers, synthesize

PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
TWO = f'[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.fraud]\n{PROD}'
LISTED = f'[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.fraud]\nenvironments = ["dev"]\n{PROD}'
Create = Callable[[str], Any]


def names(settings: Any) -> list[str]:
    return [endpoint.name for endpoint in settings.endpoints]


def stacks_of(assembly: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in assembly.glob("*.template.json")}


def test_an_endpoint_without_a_pin_is_left_out_and_said(
    new_project: Create, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = new_project(TWO)
    for model in ("churn", "fraud"):
        project.package(model)
    project.package("churn", "prod")
    project.build()

    assembly = synthesize(project.folder, "prod", tmp_path / "out")

    # The shared stack, which monitors prod, knows of the included endpoint alone.
    assert stacks_of(assembly) == {"shop-prod-churn", "shop-prod-shared"}
    assert "fraud" not in (assembly / "shop-prod-shared.template.json").read_text()
    said = capsys.readouterr().err
    assert "left out of prod, because serinus.lock pins no bundle for it there: fraud\n" in said
    assert stacks_of(synthesize(project.folder, "dev", tmp_path / "dev")) == {"shop-dev-churn", "shop-dev-fraud"}
    assert "left out" not in capsys.readouterr().err


def test_an_error_in_what_is_left_out_stops_nobody(new_project: Create, tmp_path: Path) -> None:
    project = new_project(
        f'{TWO}[endpoint.fraud.rollout]\nstrategy = "linear"\nstep_percent = 1\ninterval_minutes = 30\n'
    )
    project.package("churn")
    project.build()

    assert {item.endpoint for item in lint(project.folder, "dev") if item.severity == "error"} == {"fraud"}
    assert stacks_of(synthesize(project.folder, "dev", tmp_path / "out")) == {"shop-dev-churn"}

    project.package("fraud")
    project.build()
    with pytest.raises(LintError):
        synthesize(project.folder, "dev", tmp_path / "out")


def test_layers_are_built_for_what_is_included(new_project: Create) -> None:
    project = new_project(TWO)
    project.package("churn")

    required = required_layers(project.folder, "dev")

    assert [folder.parent.name for folder in required.bundles] == ["churn"]
    assert [endpoint.name for endpoint in required.left_out] == ["fraud"]
    assert required_layers(project.folder).left_out == ()


def test_the_lint_says_what_is_left_out_and_what_to_do(new_project: Create) -> None:
    project = new_project(TWO)
    project.package("churn", "prod")
    project.package("fraud")

    (note,) = lint_left_out(project.folder, "prod")

    assert (note.severity, note.endpoint, note.line, note.key) == ("note", "fraud", 4, "endpoint.fraud")
    assert note.what == "it is left out of prod, for which serinus.lock pins no bundle of model fraud"
    assert "`serinus pin fraud --from dev --to prod`" in note.mend
    assert lint_left_out(project.folder, "local")[0].endpoint == "churn"


def test_an_endpoint_exists_where_its_environments_say(new_project: Create) -> None:
    project = new_project(LISTED)
    path = project.folder / "serinus.toml"

    dev, local, prod = (load_settings(path, name) for name in ("dev", "local", "prod"))

    assert (names(dev), names(local), names(prod)) == (["churn", "fraud"], ["churn", "fraud"], ["churn"])
    assert [endpoint.is_required for endpoint in dev.endpoints] == [False, True]
    assert (dict(dev.elsewhere), dict(prod.elsewhere)) == ({}, {"fraud": ("dev",)})


def test_where_it_does_not_exist_it_is_silently_absent(
    new_project: Create, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = new_project(LISTED)
    project.package("churn", "prod")
    project.package("fraud", "prod")
    project.build()

    assembly = synthesize(project.folder, "prod", tmp_path / "out")

    assert stacks_of(assembly) == {"shop-prod-churn", "shop-prod-shared"}
    assert "left out" not in capsys.readouterr().err
    assert lint_left_out(project.folder, "prod") == []


def test_where_it_exists_a_missing_pin_is_an_error(new_project: Create, tmp_path: Path) -> None:
    project = new_project(LISTED)
    project.package("churn")
    project.build()

    (finding,) = (item for item in lint(project.folder, "dev") if item.severity == "error")

    assert (finding.line, finding.key) == (5, "endpoint.fraud.environments")
    assert finding.what == "it lists dev, for which serinus.lock pins no bundle of model fraud"
    assert finding.mend.startswith("Package it: `serinus package SOURCE --name fraud")
    assert lint_left_out(project.folder, "dev") == []
    with pytest.raises(LintError, match=r"endpoint\.fraud\.environments: it lists dev"):
        synthesize(project.folder, "dev", tmp_path / "out")
    with pytest.raises(ReleaseError, match="pins no bundle of model fraud for environment dev"):
        required_layers(project.folder, "dev")
    # The build step of a deploy to another environment is not stopped by it.
    assert len(required_layers(project.folder).bundles) == 1


def test_no_endpoint_in_an_environment_is_said_as_such(new_project: Create) -> None:
    project = new_project(f'[project]\nname = "shop"\n[endpoint.fraud]\nenvironments = ["dev"]\n{PROD}')

    with pytest.raises(InfraError, match=r"no endpoint of serinus\.toml exists in prod: `environments` of fraud"):
        synthesize(project.folder, "prod")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[endpoint.churn]\nenvironments = ["dve"]\n',
            "line 4: endpoint.churn.environments[0] names no environment",
        ),
        ('[endpoint.churn]\nenvironments = ["dve"]\n', "did you mean dev?"),
        ("[endpoint.churn]\nenvironments = []\n", 'allowed: a list of environments such as ["dev", "prod"]'),
        ('[endpoint.churn]\nenvironments = "dev"\n', 'allowed: a list of environments such as ["dev", "prod"]'),
        ("[endpoint.churn]\nenvironments = [3]\n", "endpoint.churn.environments[0] = 3 is not allowed"),
        ('[defaults]\nenvironments = ["dev"]\n', "defaults.environments is unknown"),
        (
            f'[endpoint.churn]\nenvironments = ["dev"]\n{PROD}[env.prod.endpoint.churn]\nmemory_mb = 512\n',
            "line 8: env.prod.endpoint.churn overrides an endpoint that exists in dev only, by "
            "endpoint.churn.environments",
        ),
        (
            f'{PROD}[env.prod.endpoint.churn]\nenvironments = ["dev"]\n[endpoint.churn]\n',
            "environments is unknown",
        ),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(new_project: Create, text: str, said: str) -> None:
    project = new_project(f'[project]\nname = "shop"\n{text}')

    with pytest.raises(SettingsError) as raised:
        load_settings(project.folder / "serinus.toml", "dev")

    assert said in str(raised.value)


def test_the_list_is_no_setting_of_the_function(new_project: Create, tmp_path: Path) -> None:
    """The same template with and without it."""
    project = new_project('[project]\nname = "shop"\n[endpoint.churn]\n')
    project.package("churn")
    project.build()
    without = synthesize(project.folder, "dev", tmp_path / "without")
    project.write_settings('[project]\nname = "shop"\n[endpoint.churn]\nenvironments = ["dev"]\n')

    listed = synthesize(project.folder, "dev", tmp_path / "listed")

    name = "shop-dev-churn.template.json"
    assert json.loads((listed / name).read_text()) == json.loads((without / name).read_text())


def test_advice_names_the_environment_that_pins_the_model_else_the_bundles_else_packaging(
    new_project: Create,
) -> None:
    project = new_project(TWO)
    assert unpinned_advice(project.folder, "prod", "churn").startswith("Package it: `serinus package SOURCE")
    assert unpinned_advice(project.folder, "prod", "churn").endswith("--env prod`.")
    project.package("churn", "stage")
    assert "serinus pin churn --from stage --to prod" in unpinned_advice(project.folder, "prod", "churn")
    (project.folder / "serinus.lock").unlink()
    assert unpinned_advice(project.folder, "prod", "churn") == (
        "`serinus pin churn --env prod` pins one of bundles/churn."
    )


def test_the_offline_clouds_environment_includes_what_dev_pins(new_project: Create) -> None:
    project = new_project(TWO)
    version = project.package("churn")
    own = project.package("fraud", "local")

    included, left_out = split_by_pin(project.folder, load_settings(project.folder / "serinus.toml", "local"))

    assert (names(included), left_out) == (["churn", "fraud"], ())
    assert pinned_versions(project.folder, "local") == {"churn": version, "fraud": own}
    assert pinned_versions(project.folder, "prod") == {}


def test_an_endpoint_that_was_renamed_since_the_last_synth_is_warned_of(
    new_project: Create, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = new_project(TWO)
    for model in ("churn", "fraud"):
        project.package(model)
    project.build()
    synthesize(project.folder, "dev", project.folder / "cdk.out")
    assert lint(project.folder, "dev") == []
    project.write_settings(
        f'[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.scams]\nmodel = "fraud"\n{PROD}'
    )

    (finding,) = lint(project.folder, "dev")

    assert (finding.severity, finding.endpoint, finding.line) == ("warning", "fraud", None)
    assert str(finding) == (
        "endpoint.fraud: serinus.toml no longer has it in dev, and the last synth had stack shop-dev-fraud for "
        "it: if that is deployed, a deploy leaves it as it is. `serinus destroy fraud --env dev` deletes it"
    )
    assert not any(item.endpoint == "fraud" for item in lint(project.folder, "prod"))
    synthesize(project.folder, "dev", tmp_path / "out")
    assert "warning: endpoint.fraud: serinus.toml no longer has it" in capsys.readouterr().err


def test_a_pinned_model_that_no_endpoint_serves_is_warned_of_in_a_checkout_without_a_synth(
    new_project: Create,
) -> None:
    project = new_project(LISTED)
    for model, environment in (("churn", "prod"), ("fraud", "prod"), ("fraud", "dev")):
        project.package(model, environment)

    (finding,) = lint(project.folder, "prod")

    assert (finding.severity, finding.endpoint) == ("warning", "fraud")
    assert str(finding).startswith(
        "endpoint.fraud: serinus.lock pins model fraud for prod, and no endpoint serves it there: if one"
    )
    assert "`serinus status --env prod` shows it" in str(finding)
    assert "`serinus pin fraud --remove --env prod` removes the pin" in str(finding)
    assert lint(project.folder, "dev") == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"artifacts": 3}', '{"artifacts": {"a": 3}}'])
def test_a_damaged_assembly_has_no_stacks(new_project: Create, content: str) -> None:
    project = new_project(TWO)
    (project.folder / "cdk.out").mkdir()
    (project.folder / "cdk.out" / "manifest.json").write_text(content)

    assert lint(project.folder, "dev") == []
