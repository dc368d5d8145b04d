"""Archives for another platform: refused with the file's name, or replaced by a registered twin."""

import base64
import hashlib
import json
import logging
import struct

import httpx
import pytest

AARCH64, X86_64 = 0xB7, 0x3E


def elf(machine: int) -> bytes:
    """The first bytes of an ELF file for a processor."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(40)


@pytest.fixture
def register(cloud):
    def put(sha256: str, path):
        answer = cloud.own_api().put(f"/layer-twins/{sha256}", {"path": str(path)})
        return answer.raise_for_status().json()

    return put


@pytest.fixture
def foreign_layer(aws, zip_of, unique_name):
    """A layer with native code of another processor and Python; returns (arn, sha256 of its zip)."""
    content = zip_of(
        {
            "python/fast/__init__.py": "from fast import core",
            "python/fast/core.cpython-399-aarch64-linux-gnu.so": elf(0xFF00),
            "python/unique.txt": unique_name(),
        }
    )
    made = aws("lambda").publish_layer_version(LayerName=unique_name("foreign"), Content={"ZipFile": content})
    return made["LayerVersionArn"], hashlib.sha256(content).hexdigest()


IMPORTER = "import fast\ndef handler(event, context):\n    return fast.WHERE\n"


def test_without_a_twin_the_error_names_layer_file_and_way_out(aws, deploy_function, foreign_layer):
    arn, sha256 = foreign_layer
    name = deploy_function(IMPORTER, Layers=[arn])
    answer = aws("lambda").invoke(FunctionName=name)
    payload = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Sandbox.CannotStart"
    for part in (
        arn.split(":layer:")[1],
        "python/fast/core.cpython-399-aarch64-linux-gnu.so",
        "another processor",
    ):
        assert part in payload["errorMessage"]
    assert f"PUT /_offline/layer-twins/{sha256}" in payload["errorMessage"]


def test_a_twin_stands_in_and_the_clouds_log_says_so(
    aws, deploy_function, foreign_layer, register, zip_of, tmp_path, caplog
):
    caplog.set_level(logging.INFO, "serinus.offline.sandbox.cold_start")
    arn, sha256 = foreign_layer
    twin = tmp_path / "runtime-here.zip"
    twin.write_bytes(zip_of({"python/fast/__init__.py": "WHERE = 'this machine'"}))
    assert register(sha256, twin) == {"sha256": sha256, "path": str(twin)}
    answer = aws("lambda").invoke(FunctionName=deploy_function(IMPORTER, Layers=[arn]), LogType="Tail")
    assert json.loads(answer["Payload"].read()) == "this machine"
    assert "runs as its twin runtime-here.zip" in caplog.text
    assert "twin" not in base64.b64decode(answer["LogResult"]).decode()


@pytest.mark.parametrize("sha256", ["short", "z" * 64])
def test_a_hash_that_is_none_is_refused(register, tmp_path, sha256):
    (tmp_path / "twin.zip").write_bytes(b"")
    with pytest.raises(httpx.HTTPStatusError) as error:
        register(sha256, tmp_path / "twin.zip")
    assert "is not a hex SHA-256" in error.value.response.json()["message"]


def test_a_twin_that_does_not_exist_is_refused(register, tmp_path):
    with pytest.raises(httpx.HTTPStatusError) as error:
        register("0" * 64, tmp_path / "none.zip")
    assert "no file at" in error.value.response.json()["message"]
