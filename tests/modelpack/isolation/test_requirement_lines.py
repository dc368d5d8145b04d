"""Requirements that came with a model install names with versions, from wheels, and run nothing."""

import io
import pickle
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LinearRegression

from serinus.modelpack.errors import IsolationError, ModelpackError, RequestError
from serinus.modelpack.isolation.environment import ensure_environment
from serinus.modelpack.isolation.environment_spec import EnvironmentSpec
from serinus.modelpack.isolation.requirement_lines import read_logged_requirements, read_user_requirements
from serinus.modelpack.isolation.requirement_pins import parse_lines
from serinus.modelpack.package import package
from serinus.modelpack.progress import Silent
from serinus.modelpack.request import PackageRequest

#: Each would have an installer run code, read a file or ask a host of the line's choice.
HOSTILE = (
    "{folder}",
    "./hostile",
    "hostile/",
    "../hostile",
    "hostile-1.0.tar.gz",
    "hostile-1.0-py3-none-any.whl",
    "hostile.ZIP",
    "hostile.tgz==1.0",
    "-e {folder}",
    "-e./hostile",
    "--editable={folder}",
    "hostile @ file://{folder}",
    "hostile@file://{folder}",
    "hostile[extra] @ {folder}/hostile-1.0.tar.gz",
    "file://{folder}/hostile-1.0.tar.gz",
    "http://127.0.0.1:9/hostile-1.0-py3-none-any.whl",
    "git+file://{folder}#egg=hostile",
    "hostile @ git+https://127.0.0.1:9/hostile.git@main",
    "-r {folder}/more.txt",
    "-r{folder}/more.txt",
    "--requirement {folder}/more.txt",
    "-c {folder}/more.txt",
    "--constraint={folder}/more.txt",
    "--index-url http://127.0.0.1:9/simple",
    "-i http://127.0.0.1:9/simple",
    "--extra-index-url=http://127.0.0.1:9/simple",
    "--find-links {folder}",
    "-f {folder}",
    "--no-index",
    "--pre",
    "--no-binary :all:",
    "--trusted-host 127.0.0.1",
    "numpy==2.1.3 --config-settings=x=y",
    "numpy==2.1.3 --hash=sha256:00",
    'numpy==2.1.3 ; python_version > "3" --find-links {folder}',
    "numpy==2.1.3 \\",
    "numpy===2.1.3",
    "numpy==2.1.3 -e {folder}",
    "nümpy==2.1.3",
    "$(touch {folder}/touched)",
    "${{HOSTILE}}==1.0",
    "numpy==2.1.3; touch {folder}/touched",
)
_BACKEND = """
from pathlib import Path
Path({touched!r}).touch()
def build_wheel(*_, **__): raise SystemExit(1)
build_editable = prepare_metadata_for_build_wheel = prepare_metadata_for_build_editable = build_wheel
def get_requires_for_build_wheel(*_): return []
"""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("SERINUS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A source distribution, as folder and as archive, that leaves `touched` behind if any of it is run."""
    folder = tmp_path / "logged" / "hostile"
    folder.mkdir(parents=True)
    backend = _BACKEND.format(touched=str(folder / "touched"))
    (folder / "setup.py").write_text(backend)
    (folder / "backend.py").write_text(backend)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "hostile"\ndynamic = ["version"]\n'
    )
    (folder / "more.txt").write_text(f"{folder}\n")
    with tarfile.open(folder / "hostile-1.0.tar.gz", "w:gz") as archive:
        for name in ("setup.py", "backend.py", "pyproject.toml"):
            archive.add(folder / name, f"hostile-1.0/{name}")
        information = b"Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n"
        member = tarfile.TarInfo("hostile-1.0/PKG-INFO")
        member.size = len(information)
        archive.addfile(member, io.BytesIO(information))
    return folder


def _logged(folder: Path, lines: str, saved: str = "1.5.2") -> Path:
    """An MLflow folder whose model says that scikit-learn ``saved`` it."""
    folder.mkdir(exist_ok=True)
    (folder / "MLmodel").write_text("flavors: {sklearn: {pickled_model: model.pkl}}\n")
    rows = pd.DataFrame({"x": [float(row) for row in range(30)]})
    content = pickle.dumps(LinearRegression().fit(rows, rows["x"]))
    (folder / "model.pkl").write_bytes(content.replace(sklearn.__version__.encode(), saved.encode()))
    (folder / "requirements.txt").write_text(lines, encoding="utf-8")
    rows.to_csv(folder.parent / "sample.csv", index=False)
    return folder


def _package(source: Path, **settings: Any) -> Any:
    project = source.parent / "project"
    return package(PackageRequest(source, "given", source.parent / "sample.csv", project, **settings))


@pytest.mark.parametrize("written", HOSTILE)
def test_logged_line_that_is_no_pin_is_refused_by_name_and_not_run(
    written: str, hostile: Path, tmp_path: Path
) -> None:
    line = written.format(folder=hostile)
    folder = _logged(tmp_path / "logged", f"scikit-learn==1.5.2\n{line}\n")
    with pytest.raises(IsolationError, match="only names with == and a version") as caught:
        _package(folder)
    assert repr(line)[1:60] in str(caught.value)
    assert "--requirements FILE" in str(caught.value)
    assert not (hostile / "touched").exists()
    assert not (tmp_path / "project").exists()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("written", HOSTILE)
def test_own_line_that_is_no_name_with_versions_is_refused_by_name(
    written: str, hostile: Path, tmp_path: Path
) -> None:
    line = written.format(folder=hostile)
    folder = _logged(tmp_path / "logged", "")
    (tmp_path / "requirements.txt").write_text(f"scikit-learn==1.5.2\n{line}\n", encoding="utf-8")
    with pytest.raises(RequestError, match="nothing else") as caught:
        _package(folder / "model.pkl", requirements=tmp_path / "requirements.txt")
    assert repr(line)[1:60] in str(caught.value)
    assert not (hostile / "touched").exists()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("own", [True, False])
def test_of_thousands_of_bad_lines_five_and_their_count_are_shown(own: bool, tmp_path: Path) -> None:
    lines = tuple(f"-e ./bad{number}" for number in range(5000))
    place = tmp_path / "requirements.txt"
    place.write_text("\n".join(lines))
    with pytest.raises(ModelpackError) as caught:
        read_user_requirements(place) if own else read_logged_requirements(
            ("scikit-learn==1.5.2", *lines), place, Silent()
        )
    assert "'-e ./bad4' and 4995 more such lines" in str(caught.value)
    assert "bad5'" not in str(caught.value)


def test_pips_part_of_condas_file_is_read_by_the_same_rule(hostile: Path, tmp_path: Path) -> None:
    folder = _logged(tmp_path / "logged", "")
    (folder / "requirements.txt").unlink()
    listed = ["scikit-learn==1.5.2", f"numpy==2.1.3\n-e {hostile}"]
    (folder / "conda.yaml").write_text(f"dependencies: [python=3.11, {{pip: {listed!r}}}]\n".replace("'", '"'))
    with pytest.raises(IsolationError, match=r"conda\.yaml lists"):
        _package(folder)
    assert not (hostile / "touched").exists()


def test_pinned_source_distribution_is_not_built(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(hostile))
    with pytest.raises(IsolationError, match=r"(?s)hostile 1\.0.*Only wheels are installed") as caught:
        ensure_environment(EnvironmentSpec(("hostile==1.0",), "test"), Silent())
    assert "hostile" in str(caught.value)
    assert not (hostile / "touched").exists()


def test_lines_that_the_installed_versions_do_without_are_named_and_not_installed(
    hostile: Path, tmp_path: Path
) -> None:
    installed = f"scikit-learn=={sklearn.__version__}\npandas\n-e {hostile}\n"
    packed = _package(_logged(tmp_path / "logged", installed, saved=sklearn.__version__))
    assert packed.environment_of_source is None
    (notice,) = [said for said in packed.notices if "is not installed" in said]
    assert repr(f"-e {hostile}") in notice
    assert not (hostile / "touched").exists()


def test_logged_name_without_a_version_is_passed_over_with_a_notice(tmp_path: Path) -> None:
    said: list[str] = []

    class Heard(Silent):
        def notice(self, message: str) -> None:
            said.append(message)

    listed = ("scikit-learn==1.5.2", "pandas", "numpy>=1.26,<3")
    assert read_logged_requirements(listed, tmp_path / "requirements.txt", Heard()) == ("scikit-learn==1.5.2",)
    assert len(said) == 1
    assert "'pandas', 'numpy>=1.26,<3'" in said[0]


@pytest.mark.parametrize(
    ("line", "pinned"),
    [
        ("scikit-learn==1.5.2", "scikit-learn==1.5.2"),
        ("  Scikit_Learn [extra , more]  ==  1.5.2  # as logged", "Scikit_Learn[extra,more]==1.5.2"),
        ("torch==2.1.0+cpu", "torch==2.1.0+cpu"),
        ("numpy==2.0.0rc1;python_version<'3.13'", "numpy==2.0.0rc1 ; python_version<'3.13'"),
        (
            'numpy==2.1.3 ; (sys_platform == "linux" and python_version >= "3.9") or extra == "a-b"',
            'numpy==2.1.3 ; (sys_platform == "linux" and python_version >= "3.9") or extra == "a-b"',
        ),
        ("numpy==1!2.1", "numpy==1!2.1"),
    ],
)
def test_pins_are_read_with_extras_and_markers(line: str, pinned: str) -> None:
    assert parse_lines([line]).pinned == (pinned,)


@pytest.mark.parametrize(
    "line", ["numpy (==2.1)", "numpy==2.1,", "numpy==v2.1", "numpy==2.1;", "numpy ; extra=='#'"]
)
def test_lines_that_the_grammar_accepts_and_we_need_not_are_refused(line: str) -> None:
    assert parse_lines([line]).refused == (line,)


@pytest.mark.parametrize("folder", [Path(__file__).parents[3], Path("/")])
def test_packaging_is_the_library_also_where_a_folder_has_its_name(folder: Path) -> None:
    code = "import packaging, packaging.requirements as room; print(room.__file__, packaging.__version__)"
    printed = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    file, version = printed.stdout.split()
    assert Path(file).parts[-3:] == ("site-packages", "packaging", "requirements.py")
    assert version == metadata.version("packaging")
    assert (Path(__file__).parents[3] / "packaging" / "modelpack").is_dir()


@pytest.mark.parametrize("line", ["numpy", "numpy==2.*", "numpy>=2,<3", "numpy ~= 2.1", "numpy!=2.1", "a[b]"])
def test_ranges_are_no_pins(line: str) -> None:
    lines = parse_lines([line])
    assert lines.open == (line.replace(" ", ""),)
    assert not lines.pinned
    assert not lines.refused


def test_model_file_behind_a_link_out_of_its_folder_is_not_read(tmp_path: Path) -> None:
    folder = _logged(tmp_path / "logged", "")
    outside = tmp_path / "outside.pkl"
    (folder / "model.pkl").rename(outside)
    (folder / "model.pkl").mkdir()
    (folder / "model.pkl" / "model.pkl").symlink_to(outside)
    with pytest.raises(ModelpackError, match="outside its own folder"):
        _package(folder)
