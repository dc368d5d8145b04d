"""Which environment a model wants."""

import pickle
from pathlib import Path

import lightgbm
import pytest
import sklearn
import xgboost

from serinus.modelpack.isolation.environment_spec import (
    distribution_name,
    framework_pins,
    spec_from_file,
    spec_from_requirements,
)


def _saved_by(version: str, folder: Path) -> Path:
    (folder / "m.pkl").write_bytes(pickle.dumps(["_sklearn_version", version]))
    return folder / "m.pkl"


def test_installed_minor_release_wants_nothing(tmp_path: Path) -> None:
    patch = ".".join([*sklearn.__version__.split(".")[:2], "99"])
    assert spec_from_file(_saved_by(patch, tmp_path)) is None


def test_older_release_wants_itself_among_its_contemporaries(tmp_path: Path) -> None:
    wanted = spec_from_file(_saved_by("1.4.2", tmp_path))
    assert wanted is not None
    assert wanted.requirements == ("scikit-learn==1.4.2", "numpy<2.1", "scipy<1.14", "pandas<3")
    assert wanted.origin == "read from m.pkl"


def test_booster_in_the_pipeline_comes_along_though_its_version_is_not_written(tmp_path: Path) -> None:
    place = tmp_path / "m.pkl"
    place.write_bytes(pickle.dumps(["_sklearn_version", "1.5.2", lightgbm.LGBMClassifier]))
    wanted = spec_from_file(place)
    assert wanted is not None
    assert wanted.requirements[:2] == ("scikit-learn==1.5.2", f"lightgbm=={lightgbm.__version__}")
    asked = spec_from_requirements(("lightgbm==4.5.0",), "r", place, always=True, python=None)
    assert asked is not None
    assert asked.requirements[:2] == ("lightgbm==4.5.0", "scikit-learn==1.5.2")


@pytest.mark.parametrize(("version", "bounded"), [("2.1.2", True), ("2.1.4", False)])
def test_xgboost_comes_with_a_scikit_learn_that_knows_its_kind(
    version: str, bounded: bool, tmp_path: Path
) -> None:
    numbers = ", ".join(version.split("."))
    (tmp_path / "m.json").write_text(f'{{"learner": {{}}, "version": [{numbers}]}}')
    wanted = spec_from_file(tmp_path / "m.json")
    assert wanted is not None
    assert wanted.requirements[0] == f"xgboost-cpu=={version}"
    assert ("scikit-learn<1.6" in wanted.requirements) is bounded


def test_requirements_asked_for_hold_even_where_the_installed_would_serve(tmp_path: Path) -> None:
    place = _saved_by(sklearn.__version__, tmp_path)
    lines = ("numpy==2.1.3",)
    wanted = spec_from_requirements(lines, "req.txt", place, always=True, python=None)
    assert wanted is not None
    assert wanted.requirements == ("numpy==2.1.3", f"scikit-learn=={sklearn.__version__}")


def test_what_requirements_name_is_not_taken_from_the_file(tmp_path: Path) -> None:
    lines = ("Scikit_Learn==1.3.2", "scipy==1.11.4")
    wanted = spec_from_requirements(lines, "req.txt", _saved_by("1.4.2", tmp_path), always=True, python="3.11")
    assert wanted is not None
    assert wanted.requirements == (*lines, "numpy<2", "pandas<3")
    assert wanted.python == "3.11"


def test_logged_requirements_of_the_installed_releases_want_nothing(tmp_path: Path) -> None:
    place = _saved_by(sklearn.__version__, tmp_path)
    lines = (f"scikit-learn=={sklearn.__version__}", "cloudpickle==2.2.1", f"xgboost=={xgboost.__version__}")
    assert spec_from_requirements(lines, "logged", place, always=False, python="3.8") is None


def test_logged_requirements_of_another_release_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "model.lgb").write_text("tree\nversion=v4\n")
    wanted = spec_from_requirements(
        ("lightgbm==4.3.0",), "logged", tmp_path / "model.lgb", always=False, python=None
    )
    assert wanted is not None
    assert wanted.requirements == ("lightgbm==4.3.0",)


def test_library_and_its_stand_in_are_not_both_installed(tmp_path: Path) -> None:
    lines = ("pandas==2.3.3", "xgboost-cpu==2.1.2", "xgboost==2.1.2")
    place = _saved_by("1.5.2", tmp_path)
    wanted = spec_from_requirements(lines, "logged", place, always=False, python=None)
    assert wanted is not None
    assert wanted.requirements[:3] == ("pandas==2.3.3", "xgboost-cpu==2.1.2", "scikit-learn==1.5.2")


@pytest.mark.parametrize(
    ("line", "pins"),
    [
        ("Scikit_Learn[x] == 1.5.2 ; python_version > '3'", {"scikit-learn": "1.5.2"}),
        ("scikit-learn==1.5.*", {"scikit-learn": "1.5"}),
        ("scikit-learn>=1.5", {}),
        ("scikit-learn", {}),
        ("numpy==2.1.3", {}),
    ],
)
def test_frameworks_are_pinned_by_equality_alone(line: str, pins: dict[str, str]) -> None:
    assert framework_pins((line,)) == pins


@pytest.mark.parametrize(
    ("line", "name"),
    [("XGBoost==2.0.1", "xgboost"), ("scikit_learn[x] >= 1", "scikit-learn"), ("--index-url x", None), ("", None)],
)
def test_names_are_compared_as_indexes_do(line: str, name: str | None) -> None:
    assert distribution_name(line) == name


def test_graphics_card_free_twin_pins_the_library() -> None:
    assert framework_pins(("xgboost-cpu==2.1.4", "numpy==1.26.4")) == {"xgboost": "2.1.4"}
