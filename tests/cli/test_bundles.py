"""Bundles in S3: pushed once, fetched as the lock names them, and refused where S3 holds anything else.

The commands themselves, with an offline cloud's S3, are in `tests/docs/test_tutorial.py`.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from serinus.cli.bundle_store import BundlePlace, fetch, push, store_url, unpinned
from serinus.cli.errors import CliError
from serinus.infra.errors import ReleaseError
from serinus.infra.release import pinned_bundle
from serinus.lambda_handlers.contract.bundle import CARD, GRAPH, MANIFEST, PROVENANCE, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.lock import LOCK, Pin, read_lock
from serinus.modelpack.locking import pin_bundle
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

BUCKET = "models"
STORE = f"s3://{BUCKET}/serinus"


def packaged(project: Path, slope: float) -> Path:
    """A project with a packaged model; returns the bundle's folder."""
    project.mkdir(exist_ok=True)
    (project / "serinus.toml").write_text(
        f'[project]\nname = "shop"\nbundle_store = "{STORE}"\n\n[endpoint.churn]\n'
    )
    rows = pd.DataFrame({"age": np.arange(50.0)})
    joblib.dump(LinearRegression().fit(rows, rows["age"] * slope), project / "model.joblib")
    rows.to_csv(project / "sample.csv", index=False)
    return package(PackageRequest(project / "model.joblib", "churn", project / "sample.csv", project)).bundle


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("bundles") / "shop"
    packaged(project, 2.0)
    return project


@pytest.fixture
def shop(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "shop"))


def bundle_of(project: Path) -> Path:
    return pinned_bundle(project, "dev", "churn")


@pytest.fixture
def s3(moto_bucket: Callable[[str], Any]) -> Any:
    return moto_bucket(BUCKET)


@pytest.fixture
def stored(shop: Path, s3: Any) -> Pin:
    """The pin of the bundle that was pushed; the project no longer holds it."""
    folder = bundle_of(shop)
    manifest = verify(folder)
    url = store_url(STORE, manifest)
    assert push(s3, folder, url)
    pin_bundle(shop, "dev", "churn", Pin(manifest.version, url))
    shutil.rmtree(folder)
    return read_lock(shop / LOCK)["dev"]["churn"]


def test_what_was_pushed_is_fetched_whole_and_once(original: Path, shop: Path, s3: Any, stored: Pin) -> None:
    with pytest.raises(ReleaseError, match=r"kept at s3://models/serinus/churn/.*serinus bundles fetch churn"):
        bundle_of(shop)
    assert fetch(s3, stored, shop)
    files = {path.name: path.read_bytes() for path in bundle_of(shop).iterdir()}
    assert files == {path.name: path.read_bytes() for path in bundle_of(original).iterdir()}
    assert not fetch(s3, stored, shop)
    assert not push(s3, bundle_of(shop), stored.bundle)


@pytest.mark.parametrize("name", [GRAPH, MANIFEST])
def test_a_changed_or_missing_file_is_refused_and_nothing_is_left(
    shop: Path, s3: Any, stored: Pin, name: str
) -> None:
    key = BundlePlace.at(stored.bundle).key(name)
    content = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=content.replace(b"1", b"2", 1))
    with pytest.raises(CliError, match="is damaged"):
        fetch(s3, stored, shop)
    s3.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(CliError, match="does not hold a whole bundle"):
        fetch(s3, stored, shop)
    assert list((shop / "bundles/churn").iterdir()) == []


def test_a_bundle_without_its_card_is_fetched(shop: Path, s3: Any, stored: Pin) -> None:
    s3.delete_object(Bucket=BUCKET, Key=BundlePlace.at(stored.bundle).key(CARD))
    assert fetch(s3, stored, shop)


def test_another_bundle_at_the_place_is_refused(shop: Path, s3: Any, stored: Pin, tmp_path: Path) -> None:
    other = packaged(tmp_path / "other", 3.0)
    with pytest.raises(CliError, match="holds another bundle than"):
        push(s3, other, stored.bundle)
    for path in other.iterdir():
        s3.upload_file(str(path), BUCKET, BundlePlace.at(stored.bundle).key(path.name))
    with pytest.raises(CliError, match=f"holds version {other.name}, and the lock names {stored.version[:12]}"):
        fetch(s3, stored, shop)
    assert list((shop / "bundles/churn").iterdir()) == []


def test_no_bucket_is_one_sentence(shop: Path, s3: Any) -> None:
    with pytest.raises(CliError, match=r"no bucket absent-bucket\. Create it"):
        push(s3, bundle_of(shop), "s3://absent-bucket/churn/0123456789ab")


def test_the_newest_unpinned_bundles_stay(shop: Path) -> None:
    pinned = bundle_of(shop)
    for number in range(5):
        folder = shutil.copytree(pinned, pinned.parent / (f"{number}" * 12))
        manifest = json.loads((folder / MANIFEST).read_bytes()) | {"version": f"{number}" * 64}
        (folder / MANIFEST).write_text(json.dumps(manifest))
        provenance = json.loads((folder / PROVENANCE).read_bytes()) | {"time": f"2026-01-0{number + 1}T00:00:00Z"}
        (folder / PROVENANCE).write_text(json.dumps(provenance))
    assert [path.name for path in unpinned(shop, read_lock(shop / LOCK), 3)] == ["1" * 12, "0" * 12]
    assert pinned not in unpinned(shop, read_lock(shop / LOCK), 0)


@pytest.mark.parametrize(
    "place", ["s3://bucket", "s3://bucket/churn", "s3://bucket/churn/../0123456789ab", "s3:///churn/0123456789ab"]
)
def test_a_lock_names_whole_places(shop: Path, place: str) -> None:
    pin = read_lock(shop / LOCK)["dev"]["churn"]
    (shop / LOCK).write_text((shop / LOCK).read_text().replace(pin.bundle, place))
    with pytest.raises(ContractError, match="s3://BUCKET/PREFIX/MODEL/VERSION"):
        read_lock(shop / LOCK)


def test_what_cannot_be_pushed_or_fetched_is_one_sentence(shop: Path, serinus: Any) -> None:
    unknown = serinus("bundles", "fetch", "chrun", cwd=shop)
    assert (unknown.returncode, "pins no bundle of chrun. It pins: churn (dev)." in unknown.stderr) == (1, True)
    assert "names no bundle in S3" in serinus("bundles", "fetch", cwd=shop).stdout
    (shop / "serinus.toml").write_text('[project]\nname = "shop"\n\n[endpoint.churn]\n')
    nowhere = serinus("bundles", "push", cwd=shop)
    assert (
        nowhere.returncode,
        "Add this to its [project] table: bundle_store" in " ".join(nowhere.stderr.split()),
    ) == (1, True)
    (shop / "serinus.toml").write_text('[project]\nname = "shop"\nbundle_store = "/mnt/models"\n')
    wrong = serinus("bundles", "push", cwd=shop)
    assert (wrong.returncode, "allowed: s3://BUCKET/PREFIX" in wrong.stderr) == (1, True)
    assert "Traceback" not in wrong.stderr
