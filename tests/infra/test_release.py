import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.infra.errors import InfraError, ReleaseError
from serinus.infra.synth import required_layers
from serinus.lambda_handlers.contract.build import BUILD_DIR, CODE_DIR, function_sources


def test_a_release_is_the_pinned_bundle_with_the_layers_built_for_it(project: Any) -> None:
    _, _, release = project.release()

    assert release.model.name == "churn"
    assert release.runtime_layer.path.name == "runtime.zip"
    assert release.model_layer.path.name == f"{release.model.short_version}.zip"


def test_the_offline_environment_deploys_what_dev_pins(project: Any) -> None:
    assert project.release("local")[2] == project.release("dev")[2]


def test_the_offline_environment_prefers_a_pin_of_its_own(project: Any) -> None:
    own = project.package("churn", "local", graph=b"another graph")
    project.build()

    assert project.release("local")[2].model.version == own
    assert project.release("dev")[2].model.version != own


def test_a_model_without_a_pin_is_refused_with_the_command_that_makes_one(
    new_project: Callable[[str], Any],
) -> None:
    project = new_project('[project]\nname = "shop"\n[endpoint.churn]\n')

    with pytest.raises(
        ReleaseError, match=r"no bundle of model churn for environment dev \(it pins: none\)\. Package it"
    ):
        project.release()


def test_a_changed_bundle_is_refused(project: Any) -> None:
    graph = next(project.folder.glob("bundles/churn/*/model.onnx"))
    graph.write_bytes(b"tampered")

    with pytest.raises(ReleaseError, match="was changed after packaging"):
        project.release()


def test_a_folder_with_another_bundle_than_the_pinned_one_is_refused(project: Any) -> None:
    pinned = next(project.folder.glob("bundles/churn/*"))
    project.package("other")
    other = next(project.folder.glob("bundles/other/*"))
    for file in other.iterdir():
        (pinned / file.name).write_bytes(file.read_bytes())

    with pytest.raises(ReleaseError, match=rf"pins churn {pinned.name} for dev, but .* holds other {other.name}"):
        project.release()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[dev", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
        (b"a = " + b"[" * 100_000, "is not valid TOML"),
        (b"dev = 3", r"dev must be tables, \[dev\.MODEL\]"),
        (b"dev.churn = 3", r"\[dev\.churn\] must hold exactly `version` and `bundle`"),
        (b'[dev.churn]\nversion = "1"\nbundle = "b"', r"\[dev\.churn\] version is '1'; it must be 64 hex digits"),
        (b"[dev.churn]\nversion = 1\nbundle = 2", r"\[dev\.churn\] version is 1; it must be 64 hex digits"),
        (
            b'[dev.churn]\nversion = "' + b"a" * 64 + b'"\nbundle = 2',
            r"\[dev\.churn\] bundle is 2; it must be the path of a folder",
        ),
    ],
)
def test_a_damaged_lock_is_refused_with_the_next_step(project: Any, content: bytes, says: str) -> None:
    (project.folder / "serinus.lock").write_bytes(content)

    with pytest.raises(ReleaseError, match=says) as raised:
        project.release()

    assert "git checkout -- serinus.lock" in str(raised.value)


def test_a_folder_in_place_of_the_lock_is_refused(project: Any) -> None:
    (project.folder / "serinus.lock").unlink()
    (project.folder / "serinus.lock").mkdir()

    with pytest.raises(ReleaseError, match=r"serinus\.lock cannot be read \(Is a directory\)"):
        project.release()


def test_a_byte_order_mark_before_the_lock_is_no_damage(project: Any) -> None:
    lock = project.folder / "serinus.lock"
    before = project.release()[2].model
    lock.write_bytes(b"\xef\xbb\xbf" + lock.read_bytes())

    assert project.release()[2].model == before


def test_without_a_build_the_next_step_is_named(new_project: Callable[[str], Any]) -> None:
    project = new_project('[project]\nname = "shop"\n[endpoint.churn]\n')
    project.package("churn")

    with pytest.raises(ReleaseError, match=r"nothing was built yet: .* Run `serinus build`"):
        project.release()


def test_a_platform_that_was_not_built_is_named(project: Any) -> None:
    project.build(platform=("python3.14", "arm64"))

    with pytest.raises(
        ReleaseError, match=r"endpoint churn needs the runtime layer python3\.13-x86_64, not built"
    ):
        project.release()


def test_a_model_packaged_after_the_build_is_named(project: Any) -> None:
    version = project.package("churn", graph=b"newer")

    with pytest.raises(
        ReleaseError, match=f"endpoint churn needs the layer of churn {version[:12]}, not built yet"
    ):
        project.release()


def test_a_missing_layer_is_named(project: Any) -> None:
    (project.folder / BUILD_DIR / "runtime.zip").unlink()

    with pytest.raises(ReleaseError, match=r"the built layer .*runtime\.zip is missing\. Run `serinus build`"):
        project.release()


def test_a_changed_layer_is_refused(project: Any) -> None:
    (project.folder / BUILD_DIR / "runtime.zip").write_bytes(b"other")

    with pytest.raises(ReleaseError, match=r"runtime\.zip was changed: it hashes to [0-9a-f]{12}, the build says"):
        project.release()


def test_layers_beyond_lambdas_limit_are_refused_with_their_size(project: Any) -> None:
    project.build(unzipped_bytes=130 * 2**20)

    with pytest.raises(ReleaseError, match=r"is 261\.0 MB unzipped with its layers; Lambda allows 250\.0 MB"):
        project.release()


def test_required_layers_are_those_of_the_environment(project: Any) -> None:
    wanted = required_layers(project.folder, "dev")

    assert wanted.targets == (("python3.13", "x86_64"),)
    assert [folder.parent.name for folder in wanted.bundles] == ["churn"]


def test_required_layers_without_an_environment_are_those_of_all_that_have_a_bundle(
    new_project: Callable[[str], Any],
) -> None:
    project = new_project(
        '[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.fraud]\n[env.prod]\naccount = "123456789012"\n'
        'region = "eu-central-1"\n[env.prod.defaults]\narchitecture = "arm64"\n'
    )
    project.package("churn", "dev")
    project.package("churn", "prod", graph=b"older")

    wanted = required_layers(project.folder)

    assert wanted.targets == (("python3.13", "arm64"), ("python3.13", "x86_64"))
    assert len(wanted.bundles) == 2


def test_wanting_layers_of_an_environment_with_no_model_that_is_packaged_is_refused(project: Any) -> None:
    project.write_settings('[project]\nname = "shop"\n[endpoint.fraud]\n')

    with pytest.raises(ReleaseError, match="pins no bundle of model fraud"):
        required_layers(project.folder, "dev")


def test_wanting_layers_where_nothing_is_packaged_is_refused(new_project: Callable[[str], Any]) -> None:
    project = new_project('[project]\nname = "shop"\n[endpoint.churn]\n')

    with pytest.raises(InfraError, match=r"no endpoint of serinus\.toml has a packaged model"):
        required_layers(project.folder)


def test_a_bundle_that_is_gone_is_refused(project: Any) -> None:
    bundle = next(Path(project.folder).glob("bundles/churn/*"))
    for file in bundle.iterdir():
        file.unlink()

    with pytest.raises(ReleaseError, match=r"is not a bundle: model\.json is missing"):
        project.release()


@pytest.fixture
def compiled(project: Any) -> Path:
    """The copy of the handlers' package that a build leaves for python3.13."""
    root: Path = project.folder / BUILD_DIR / CODE_DIR / "python3.13"
    sources, files = function_sources()
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sources / file, root / file)
    return root


def test_compiled_code_is_part_of_the_release(project: Any, compiled: Path) -> None:
    assert project.release()[2].code_root == compiled


def test_without_compiled_code_the_function_gets_sources_alone(project: Any) -> None:
    assert project.release()[2].code_root is None


def test_code_that_was_compiled_from_other_sources_is_refused(project: Any, compiled: Path) -> None:
    (compiled / "serinus" / "lambda_handlers" / "inference" / "handler.py").write_text("changed")
    with pytest.raises(ReleaseError, match=r"another serinus/lambda_handlers/inference/handler.py than"):
        project.release()


def test_explanations_without_a_background_in_the_bundle_are_refused(project: Any) -> None:
    settings = project.folder / "serinus.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "[endpoint.churn.explanations]\n", encoding="utf-8")

    with pytest.raises(ReleaseError, match=r"holds no background\.json, which explanations need. Package"):
        project.release()
