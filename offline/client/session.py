"""boto3 clients of an offline cloud that ignore the AWS settings of the shell and of files at home."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import ConstantProvider

from serinus.offline.core.root_key import RootKey

#: Variables that name files; each has a default below the home folder.
_FILES = ("config_file", "credentials_file")
#: Settings that botocore reads from sections of those files and from variables of their own.
_SECTIONS = ("s3", "proxies_config")


def isolated_session(key: RootKey, region: str) -> boto3.session.Session:
    """A session with a cloud's ``key`` that reads no variables, profiles or files and uses no proxies.

    Its clients need an ``endpoint_url``. Settings have botocore's defaults unless a client has a `Config`.
    """
    session = botocore.session.Session(session_vars=_defaults(botocore.session.Session.SESSION_VARIABLES))
    settings = session.get_component("config_store")
    for section in _SECTIONS:
        settings.set_config_provider(section, ConstantProvider(None))
    session.set_default_client_config(Config(proxies={}))
    return boto3.session.Session(
        key.access_key_id, key.secret_access_key, region_name=region, botocore_session=session
    )


def _defaults(variables: dict[str, Any]) -> dict[str, Any]:
    """``variables`` of a botocore session, each with its default only."""
    nowhere = {name: (None, None, default, convert) for name, (_, _, default, convert) in variables.items()}
    return nowhere | dict.fromkeys(_FILES, (None, None, os.devnull, None))
