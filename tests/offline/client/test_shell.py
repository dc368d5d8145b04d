"""What the shell says about AWS and proxies does not reach a cloud's processes, nor those that call it."""

import ast
import os
import subprocess
import sys
import urllib.request
from functools import cache

import pytest
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader

from serinus.offline.client.session import isolated_session
from serinus.offline.client.shell import LOOPBACK, bypassing, is_about_aws, shielded
from serinus.offline.core.root_key import RootKey

#: Variables that turn calls to another place, or that change what is called; each with a value that would.
HOSTILE = {
    "AMAZON_REGION": "eu-north-1",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
    "AWS_CA_BUNDLE": "/missing/ca.pem",
    "AWS_CONFIG_FILE": "/home/me/.aws/config",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/credentials",
    "AWS_DEFAULTS_MODE": "auto",
    "AWS_DEFAULT_PROFILE": "prod",
    "AWS_DEFAULT_REGION": "eu-north-1",
    "AWS_DISABLE_HOST_PREFIX_INJECTION": "false",
    "AWS_EC2_METADATA_DISABLED": "false",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_CLOUDFORMATION": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_PROFILE": "prod",
    "AWS_REGION": "eu-north-1",
    "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/prod",
    "AWS_ROLE_SESSION_NAME": "me",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "legacy",
    "AWS_SDK_LOAD_CONFIG": "1",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_SHARED_CREDENTIALS_FILE": "/home/me/.aws/credentials",
    "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/missing/token",
    "CDK_DEFAULT_ACCOUNT": "999999999999",
    "CDK_DEFAULT_REGION": "eu-north-1",
    "CDK_PROFILE": "prod",
    "CDK_PROXY": "http://127.0.0.1:9",
    "CDK_ROLE_ARN": "arn:aws:iam::999999999999:role/prod",
}
PROXY = "http://192.0.2.1:3128"


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_no_word_about_aws_is_passed_on(name):
    passed = shielded({name: HOSTILE[name], "PATH": "/bin"})
    assert passed.get(name) != HOSTILE[name]
    assert passed == shielded({"PATH": "/bin"})


def test_what_is_not_about_aws_is_passed_on():
    kept = {"PATH": "/bin", "HOME": "/home/me", "UV_INDEX_URL": "https://index.example", "CDK_HOME": "/cdk"}
    kept |= {"HTTPS_PROXY": PROXY, "all_proxy": PROXY, "SSL_CERT_FILE": "/ca.pem"}
    assert kept.items() <= shielded(kept).items()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"NO_PROXY": ""},
        {"NO_PROXY": "intern.example"},
        {"no_proxy": "intern.example, .corp.example"},
        {"NO_PROXY": "intern.example", "no_proxy": ".corp.example"},
        {"NO_PROXY": "*"},
        {"no_proxy": "*", "NO_PROXY": "intern.example"},
    ],
)
def test_proxies_are_for_other_machines_only(name, rules):
    passed = bypassing({name: PROXY, **rules})
    assert passed[name] == PROXY
    assert passed["NO_PROXY"] == passed["no_proxy"]
    for host in ("127.0.0.1", "localhost", "api.localhost", "[::1]", "127.0.0.1:4577"):
        assert urllib.request.proxy_bypass_environment(host.strip("[]"), {"no": passed["no_proxy"]}), host
    if "*" not in rules.values():
        said = ",".join(rules.values()).replace(" ", "").split(",")
        assert set(filter(None, said)) | set(LOOPBACK) == set(passed["no_proxy"].split(","))
    named = urllib.request.proxy_bypass_environment("index.example", {"no": passed["no_proxy"]})
    assert bool(named) == ("*" in rules.values())


def test_npms_rules_which_the_cdk_cli_prefers_are_extended_too():
    assert bypassing({"npm_config_no_proxy": "a.example"})["npm_config_no_proxy"] == ",".join(
        ["a.example", *LOOPBACK]
    )
    assert not {"npm_config_no_proxy", "NPM_CONFIG_NO_PROXY"} & bypassing({}).keys()


def test_extending_twice_changes_nothing():
    once = bypassing({"NO_PROXY": "a.example"})
    assert bypassing(once) == once


@pytest.mark.slow
def test_a_cloud_started_by_hand_drops_them_itself(tmp_path):
    """`python -m serinus.offline` in a shell that is set up for AWS."""
    seen = (
        "import serinus.offline.cloud.serve as s, os, sys; s.serve = lambda *_: print(sorted(os.environ.items()))"
    )
    code = f"{seen}; sys.argv[1:] = ['--port', '0']; from serinus.offline.__main__ import main; main()"
    variables = {**os.environ, **HOSTILE, "HTTP_PROXY": PROXY, "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    passed = dict(ast.literal_eval(done.stdout))
    assert not {name for name, value in HOSTILE.items() if passed.get(name) == value}
    assert {name for name in passed if is_about_aws(name)} == {name for name in shielded({}) if is_about_aws(name)}
    assert "127.0.0.1" in passed["NO_PROXY"].split(",")


CLOUD = "http://127.0.0.1:4577"
CALLS = {"s3": "list_buckets", "sts": "get_caller_identity", "dynamodb": "list_tables"}
#: A user's own settings files: a default profile and endpoints of services, in each way that they may be written.
CONFIG = """
[default]
region = eu-north-1
endpoint_url = http://127.0.0.1:9
use_fips_endpoint = true
use_dualstack_endpoint = true
account_id_endpoint_mode = required
services = elsewhere
s3 =
    addressing_style = virtual
    use_accelerate_endpoint = true

[profile prod]
role_arn = arn:aws:iam::999999999999:role/prod
source_profile = default

[services elsewhere]
s3 =
    endpoint_url = http://127.0.0.1:9
sts =
    endpoint_url = http://127.0.0.1:9
"""


class NotSent(Exception):
    """A call was noted, and is not sent."""


def sent_by(session):
    """What a call of each of three services would send: URL, access key and region."""
    sent = []

    def note(request, **_):
        sent.append((request.url, request.headers["Authorization"].decode().split("/aws4_request")[0]))
        raise NotSent

    for service, call in CALLS.items():
        client = session.client(service, endpoint_url=CLOUD, config=Config(retries={"total_max_attempts": 1}))
        assert client.meta.config.proxies == {}
        client.meta.events.register("before-send", note)
        with pytest.raises(NotSent):
            getattr(client, call)()
    return [(url, signature.rsplit("/", 3)[0].split(" ")[-1], signature.split("/")[-2]) for url, signature in sent]


def expected():
    return [(f"{CLOUD}/", "Credential=key", "us-east-1")] * len(CALLS)


@pytest.fixture(scope="module")
def _parsed_once():
    """Parses each of the SDK's data files once for all sessions, of which each still finds its settings itself."""
    parse = cache(lambda path: JSONFileLoader().load_file(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Loader,
            "FILE_LOADER_CLASS",
            type("Cached", (JSONFileLoader,), {"load_file": lambda _, path: parse(path)}),
        )
        yield


@pytest.mark.usefixtures("_parsed_once")
@pytest.mark.parametrize("name", [*sorted(HOSTILE), "HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_clients_calls_go_to_the_cloud_whatever_a_variable_says(monkeypatch, name):
    monkeypatch.setenv(name, HOSTILE.get(name, PROXY))
    assert sent_by(isolated_session(RootKey("key", "secret"), "us-east-1")) == expected()


@pytest.mark.parametrize("profile", ["default", "prod", "missing"])
def test_a_clients_calls_go_to_the_cloud_whatever_the_files_at_home_say(monkeypatch, tmp_path, profile):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAREAL\naws_secret_access_key = r\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", profile)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / ".aws" / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / ".aws" / "credentials"))
    assert sent_by(isolated_session(RootKey("key", "secret"), "us-east-1")) == expected()
