"""Keeps the shell's AWS and proxy variables away from this cloud and from its callers.

A profile, an endpoint or a region that is set for work with AWS must not divert calls from this cloud, and a proxy
cannot reach the loopback interface of this machine.
"""

import os
from collections.abc import Mapping

#: This machine, in the forms of proxy rules; a leading dot means subdomains.
LOOPBACK = ("127.0.0.1", "localhost", ".localhost", "::1")
EVERY_HOST = "*"
#: Programs read one spelling of no_proxy, or both; the CDK CLI prefers npm's to either.
NO_PROXY = ("NO_PROXY", "no_proxy")
NPM_NO_PROXY = ("npm_config_no_proxy", "NPM_CONFIG_NO_PROXY")
#: Variables of the SDKs, and those that the CDK CLI reads as its options (`CDK_PROFILE`, `CDK_PROXY`).
PREFIXES = ("AWS_", "AMAZON_", "CDK_")
#: They do not affect where the CDK CLI sends its calls.
HARMLESS = frozenset({"CDK_DOCKER", "CDK_HOME", "CDK_VALIDATION"})
#: Disables what is read if no variable is set: files at home, the metadata service of EC2, the options in cdk.json
#: and ~/.cdk.json that choose a profile or a proxy, and the CDK's notices, which are on a server of AWS.
NOWHERE_ELSE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "CDK_NOTICES": "false",
    "CDK_PROFILE": "",
    "CDK_PROXY": "",
}


def shielded(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without its AWS settings, and `bypassing` proxies on this machine.

    For processes that are part of this cloud or, with the cloud's own variables added, call it.
    """
    return bypassing({name: value for name, value in environment.items() if not is_about_aws(name)}) | NOWHERE_ELSE


def bypassing(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` with its proxies, if any, for other machines only."""
    return dict(environment) | {
        name: _with_loopback([environment.get(spelling, "") for spelling in spellings])
        for spellings in (NO_PROXY, NPM_NO_PROXY)
        for name in spellings
        if spellings is NO_PROXY or name in environment
    }


def is_about_aws(name: str) -> bool:
    """Whether the variable ``name`` configures AWS for an SDK, the AWS CLI or the CDK CLI."""
    return name.startswith(PREFIXES) and name not in HARMLESS


def _with_loopback(rules: list[str]) -> str:
    hosts = [host.strip() for rule in rules for host in rule.split(",")]
    # Beside other hosts, most programs ignore the star.
    return EVERY_HOST if EVERY_HOST in hosts else ",".join(dict.fromkeys(filter(None, [*hosts, *LOOPBACK])))
