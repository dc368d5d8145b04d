"""A key of one's own: what it encrypts, who may use it, and where it cannot be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint as cfn_lint

from serinus.infra.errors import SettingsError
from serinus.infra.lint import lint
from serinus.infra.settings import load_settings

Templates = Callable[..., dict[str, Any]]
KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
SETTING = f'encryption_key = "{KEY}"\n'
BASE = '[project]\nname = "shop"\n\n[endpoint.churn]\n'


@pytest.fixture(scope="module")
def properties(template_of: Templates, resources_of: Any) -> Callable[[str, str], list[dict[str, Any]]]:
    def find(text: str, kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in resources_of(template_of(text), kind).values()]

    return find


def grants(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


@pytest.mark.slow
def test_cfn_lint_has_no_error_and_no_warning(template_of: Templates) -> None:
    assert [str(match) for match in cfn_lint(json.dumps(template_of(SETTING)))] == []


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::Lambda::Function", "KmsKeyArn"),
    ],
)
def test_it_encrypts_every_log_and_every_functions_variables(properties: Any, kind: str, key: str) -> None:
    assert {one.get(key) for one in properties(SETTING, kind)} == {KEY}


def test_every_function_may_decrypt_with_it_and_with_nothing_else(properties: Any) -> None:
    roles = properties(SETTING, "AWS::IAM::Role")
    of_functions = [role for role in roles if "lambda" in json.dumps(role["AssumeRolePolicyDocument"])]
    uses = [[one for one in grants(role) if "kms" in json.dumps(one["Action"])] for role in of_functions]

    assert len(of_functions) == len(properties(SETTING, "AWS::Lambda::Function"))
    assert uses == [[{"Action": "kms:Decrypt", "Effect": "Allow", "Resource": KEY}]] * len(of_functions)


def test_no_other_key_is_made(template_of: Templates, resources_of: Any) -> None:
    assert resources_of(template_of(SETTING), "AWS::KMS::Key") == {}


def test_without_it_no_function_may_use_any_key(properties: Any) -> None:
    roles = properties("", "AWS::IAM::Role")

    assert not [one for role in roles for one in grants(role) if "kms" in json.dumps(one)]
    assert {one.get("KmsKeyArn") for one in properties("", "AWS::Lambda::Function")} == {None}


def test_it_makes_another_version(template_of: Templates, resources_of: Any) -> None:
    plain, keyed = (resources_of(template_of(text), "AWS::Lambda::Version") for text in ("", SETTING))

    assert plain.keys().isdisjoint(keyed)


def test_a_key_of_another_region_is_told_where_the_region_is_known(tmp_path: Path) -> None:
    prod = '[env.prod]\naccount = "123456789012"\nregion = "eu-west-1"\n'
    (tmp_path / "serinus.toml").write_text(BASE + SETTING + prod, encoding="utf-8")
    (finding,) = lint(tmp_path, "prod")

    assert (finding.severity, finding.line, finding.key) == ("error", 5, "endpoint.churn.encryption_key")
    assert finding.what == "the key is in eu-central-1, and the endpoint is in eu-west-1"


@pytest.mark.parametrize(
    "given", ["alias/mine", KEY.replace("key/", "alias/"), "11111111-2222-3333-4444-555555555555"]
)
def test_only_a_keys_arn_is_taken(tmp_path: Path, given: str) -> None:
    (tmp_path / "serinus.toml").write_text(f'{BASE}encryption_key = "{given}"\n', encoding="utf-8")

    with pytest.raises(SettingsError, match="allowed: the ARN of a KMS key in the endpoint's region"):
        load_settings(tmp_path / "serinus.toml", "dev")
