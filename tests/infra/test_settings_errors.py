from pathlib import Path

import pytest

from serinus.infra.errors import SettingsError
from serinus.infra.settings import load_settings

HEAD = '[project]\nname = "shop"\n'
ENDPOINT = HEAD + "[endpoint.churn]\n"
PROD = ENDPOINT + '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'


def errors_in(tmp_path: Path, text: str) -> list[str]:
    """What is said of a file, one finding a line; settings of `dev` are asked for."""
    (tmp_path / "serinus.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path / "serinus.toml", "dev")
    return [str(issue) for issue in raised.value.issues]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("memory_mb = 64", "= 64 is not allowed; allowed: a whole number from 128 to 10240"),
        ("memory_mb = 10241", "= 10241 is not allowed; allowed: a whole number from 128 to 10240"),
        ('memory_mb = "512"', '= "512" is not allowed; allowed: a whole number from 128 to 10240'),
        ("memory_mb = 512.0", "= 512.0 is not allowed; allowed: a whole number from 128 to 10240"),
        ("memory_mb = true", "= true is not allowed; allowed: a whole number from 128 to 10240"),
        ("timeout_s = 30", "= 30 is not allowed; allowed: a whole number from 1 to 29"),
        ('runtime = "python3.9"', 'allowed: one of "python3.12", "python3.13", "python3.14"'),
        ('architecture = "amd64"', '= "amd64" is not allowed; allowed: one of "x86_64", "arm64"'),
        ("log_retention_days = 8", "= 8 is not allowed; allowed: one of 1, 3, 5, 7, 14, 30"),
        ("log_retention_days = true", "= true is not allowed; allowed: one of 1, 3, 5, 7, 14, 30"),
        ("reserved_concurrency = -1", "= -1 is not allowed; allowed: a whole number, 0 or more"),
        ("request_log = 0", '= 0 is not allowed; allowed: "all" or a whole number, 1 or more'),
        ("request_log = 1.5", '= 1.5 is not allowed; allowed: "all" or a whole number, 1 or more'),
        ("request_log = true", '= true is not allowed; allowed: "all" or a whole number, 1 or more'),
        ('request_log = "some"', '= "some" is not allowed; allowed: "all" or a whole number, 1 or more'),
        ("max_rows = 0", "= 0 is not allowed; allowed: a whole number from 1 to 100000"),
        ("max_body_bytes = 7_000_000", "= 7000000 is not allowed; allowed: a whole number from 1024 to 4500000"),
        ("docs = 1", "= 1 is not allowed; allowed: true or false"),
        ('hot_route = "yes"', '= "yes" is not allowed; allowed: true or false'),
        ('model = "Churn_1"', '= "Churn_1" is not allowed; allowed: lower-case letters'),
        ('quota_period = "year"', 'allowed: one of "day", "week", "month"'),
        ("rate_limit_per_s = 0", "= 0 is not allowed; allowed: a whole number, 1 or more"),
        ("variables = 5", "= 5 is not allowed; allowed: a table of names with text values"),
        ('variables = { AWS_REGION = "x" }', "holds AWS_REGION; names that begin with AWS_,"),
        ('variables = { "A-B" = "x" }', "holds 'A-B'; names are two or more letters"),
        ('cors_origins = "*"', '= "*" is not allowed; allowed: a list of origins such as'),
        ('cors_origins = ["*", "https://a.example"]', 'names "*" beside other origins'),
        ('tags = { "aws:x" = "1" }', "holds key 'aws:x'; keys are 1 to 128 letters"),
        ('tags = { team = "a;b" }', "holds 'a;b' for team; values are up to 256 letters"),
        ("memory_mb = { a = 1 }", '= {"a": 1} is not allowed; allowed: a whole number from 128 to 10240'),
        (f'runtime = "{"x" * 90}"', f'= "{"x" * 59}... is not allowed; allowed: one of'),
        (r'variables = { LEVEL = "a\u0000" }', "holds a NUL character in LEVEL"),
        ("log_retention_days = 1979-05-27", '= "1979-05-27" is not allowed; allowed: one of 1, 3'),
    ],
)
def test_a_value_out_of_range_is_named_with_what_is_allowed(tmp_path: Path, setting: str, said: str) -> None:
    (finding,) = errors_in(tmp_path, f"{ENDPOINT}\n{setting}\n")

    assert finding.startswith(f"line 5: endpoint.churn.{setting.split(' ')[0]}")
    assert said in finding


def test_a_value_within_a_table_is_found_on_its_own_line(tmp_path: Path) -> None:
    found = errors_in(tmp_path, f"{ENDPOINT}[endpoint.churn.variables]\nLEVEL = 'a'\nDEPTH = 3\n")

    assert found == [
        "line 6: endpoint.churn.variables.DEPTH = 3 is not allowed; allowed: a table of names with text values, "
        "4096 bytes in all; AWS_*, LAMBDA_* and SERINUS_* are reserved"
    ]


def test_a_key_that_toml_must_quote_is_shown_quoted(tmp_path: Path) -> None:
    (found,) = errors_in(tmp_path, f'{ENDPOINT}variables = {{ "a.b" = 3 }}\n')

    assert found.startswith('line 4: endpoint.churn.variables."a.b" = 3 is not allowed')


def test_an_element_of_a_list_is_found_on_its_own_line(tmp_path: Path) -> None:
    (found,) = errors_in(
        tmp_path, f'{ENDPOINT}cors_origins = [\n  "https://a.example",\n  "https://b.example/",\n]\n'
    )

    assert found.startswith('line 6: endpoint.churn.cors_origins[1] "https://b.example/" is not an origin')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{ENDPOINT}memroy_mb = 512\n", "line 4: endpoint.churn.memroy_mb is unknown; did you mean memory_mb?"),
        (f"{ENDPOINT}[defualts]\ndocs = true\n", "line 4: defualts is unknown; did you mean defaults?"),
        (f"{PROD}acount = 1\n", "line 7: env.prod.acount is unknown; did you mean account?"),
        (
            f"{ENDPOINT}zzz = 1\n",
            "line 4: endpoint.churn.zzz is unknown; known: acceptance, access_logs, alarms, architecture, auth, ",
        ),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest_known_one(tmp_path: Path, text: str, said: str) -> None:
    (finding,) = errors_in(tmp_path, text)

    assert finding.startswith(said)


def test_everything_wrong_is_said_at_once_in_the_order_of_lines_whichever_environment_it_concerns(
    tmp_path: Path,
) -> None:
    text = (
        '[project]\nname = "Shop"\n[defaults]\nmemory_mb = 1\n[endpoint.churn]\ntimeout_s = 99\n'
        '[env.prod]\naccount = "12"\n[env.prod.endpoint.churn]\nruntime = "go"\n[endpoint.Bad]\n'
    )

    found = errors_in(tmp_path, text)

    assert [finding.split(": ")[0] for finding in found] == [f"line {line}" for line in (2, 4, 6, 8, 10, 11)]


def test_the_message_counts_and_lists_the_findings(tmp_path: Path) -> None:
    (tmp_path / "serinus.toml").write_text(f"{ENDPOINT}memory_mb = 1\ntimeout_s = 0\n", encoding="utf-8")

    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path / "serinus.toml", "dev")

    assert str(raised.value) == (
        "serinus.toml has 2 errors:\n"
        "  line 4: endpoint.churn.memory_mb = 1 is not allowed; allowed: a whole number from 128 to 10240\n"
        "  line 5: endpoint.churn.timeout_s = 0 is not allowed; allowed: a whole number from 1 to 29"
    )


def test_a_name_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    (finding,) = errors_in(tmp_path, HEAD + "[endpoint.Churn_1]\n")

    assert finding.startswith("line 3: endpoint.Churn_1 is not a valid name; allowed: lower-case letters")


def test_a_missing_project_is_named(tmp_path: Path) -> None:
    assert errors_in(tmp_path, "[endpoint.churn]\n") == ["project is missing; allowed: a table"]


def test_a_missing_name_is_reported_at_its_table(tmp_path: Path) -> None:
    (finding,) = errors_in(tmp_path, "\n[project]\n")

    assert finding.startswith("line 2: project.name is missing; allowed: lower-case letters")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[env.prod]\n", "line 4: env.prod lacks account and region; write both"),
        ('[env.prod]\naccount = "123456789012"\n', "line 4: env.prod lacks region; write both"),
        ('[env.dev]\nregion = "eu-central-1"\n', "line 4: env.dev lacks account; write both"),
        (
            '[env.local]\naccount = "123456789012"\nregion = "eu-central-1"\n',
            "line 4: env.local is the offline cloud and must not set account or region",
        ),
    ],
)
def test_an_environment_without_its_place_is_refused(tmp_path: Path, table: str, said: str) -> None:
    (finding,) = errors_in(tmp_path, ENDPOINT + table)

    assert finding.startswith(said)


def test_an_override_of_no_endpoint_is_refused(tmp_path: Path) -> None:
    found = errors_in(tmp_path, f"{PROD}[env.prod.endpoint.chrun]\nmemory_mb = 128\n")

    assert found == ["line 7: env.prod.endpoint.chrun overrides no endpoint; did you mean churn?"]


def test_a_function_name_beyond_lambdas_limit_is_refused(tmp_path: Path) -> None:
    name = "a" * 40
    found = errors_in(tmp_path, f'[project]\nname = "{name}"\n[endpoint.{name}]\n')

    assert len(found) == 2
    assert found[0].startswith(f"line 3: endpoint.{name} makes the function name {name}-dev-{name}, 85 characters")


def test_variables_beyond_lambdas_limit_are_refused_with_what_is_set_by_itself_counted(tmp_path: Path) -> None:
    found = errors_in(tmp_path, f'{ENDPOINT}variables = {{ BLOB = "{"x" * 4000}" }}\n')

    assert found[0].startswith("line 3: endpoint.churn has 4")
    assert found[0].endswith("bytes of variables in environment dev, cors_origins included; Lambda allows 4096")


def test_too_many_tags_are_refused(tmp_path: Path) -> None:
    tags = "".join(f'k{number} = "v"\n' for number in range(46))

    found = errors_in(tmp_path, f"{ENDPOINT}[endpoint.churn.tags]\n{tags}")

    assert found[0] == "line 3: endpoint.churn has 46 tags in environment dev; at most 45 are allowed"
