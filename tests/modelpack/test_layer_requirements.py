"""The pinned requirements: complete, hashed, and free of any index's address."""

import re
from pathlib import Path

import pytest

from serinus.modelpack.errors import LayerError
from serinus.modelpack.layers.requirements import requirements_file
from serinus.modelpack.layers.targets import lambda_target


def test_every_wanted_package_is_pinned_with_hashes() -> None:
    pinned = requirements_file("inference")
    wanted = [line for line in pinned.with_suffix(".in").read_text().splitlines() if not line.startswith("#")]
    text = pinned.read_text()
    for line in wanted:
        name = re.split(r"[><=]", line)[0]
        assert re.search(rf"^{name}==[\w.]+ \\\n    --hash=sha256:[0-9a-f]{{64}}", text, re.MULTILINE), name


def test_no_index_is_named() -> None:
    text = requirements_file("inference").read_text()
    assert "://" not in text
    assert "--index" not in text


def test_absent_requirements_are_a_broken_installation() -> None:
    with pytest.raises(LayerError, match="Install serinus again"):
        requirements_file("absent")


def test_requirements_lie_in_the_checkout_or_in_the_package() -> None:
    assert requirements_file("inference").parent in {
        Path(__file__).parents[2] / "packaging" / "layers",
        Path(__file__).parents[2] / "packaging" / "modelpack" / "_layers",
    }


@pytest.mark.parametrize(
    ("runtime", "architecture", "platform"),
    [("python3.13", "x86_64", "x86_64-manylinux_2_28"), ("python3.12", "arm64", "aarch64-manylinux_2_28")],
)
def test_target_in_the_words_of_uv(runtime: str, architecture: str, platform: str) -> None:
    target = lambda_target(runtime, architecture)
    assert target.platform == platform
    assert target.name == f"{runtime}-{architecture}"
