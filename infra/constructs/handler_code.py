"""A handler's code as a Lambda asset: exactly the files that it imports, under their own paths."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from serinus import lambda_handlers
from serinus.infra.handler_modules import handler_files


@dataclass(frozen=True, slots=True)
class HandlerCode:
    """``files`` relative to ``root``, the folder that holds `serinus`: a checkout or site-packages."""

    root: Path
    files: tuple[Path, ...]

    @classmethod
    def of(cls, module: str, root: Path | None = None, runtime: str | None = None) -> "HandlerCode":
        """The code of the handler in ``module`` (dotted), as installed unless ``root`` says where. With
        ``runtime`` ("python3.13") the bytecode of that version comes along where ``root`` has it."""
        root = root or Path(lambda_handlers.__file__).parents[2]
        files = handler_files(root, module)
        if runtime is not None:
            files = tuple(sorted({*files, *_bytecode(root, files, runtime)}))
        return cls(root, files)

    @property
    def sha256(self) -> str:
        """Hash of paths and contents (64 hex digits)."""
        digest = hashlib.sha256()
        for file in self.files:
            content = hashlib.sha256((self.root / file).read_bytes())
            digest.update(file.as_posix().encode() + b"\0" + content.digest())
        return digest.hexdigest()

    def as_asset(self) -> lambda_.Code:
        """The code that CDK uploads. Everything is excluded except each file and its folders."""
        exclude = ["*"]
        for folder in sorted({folder for file in self.files for folder in file.parents if folder != Path()}):
            exclude += [f"!/{folder.as_posix()}", f"/{folder.as_posix()}/*"]
        exclude += [f"!/{file.as_posix()}" for file in self.files]
        return lambda_.Code.from_asset(
            str(self.root),
            exclude=exclude,
            ignore_mode=cdk.IgnoreMode.GIT,
            # In a checkout the packages in `serinus` are links.
            follow_symlinks=cdk.SymlinkFollowMode.ALWAYS,
        )


def _bytecode(root: Path, files: tuple[Path, ...], runtime: str) -> Iterator[Path]:
    tag = runtime.replace("python", "cpython-").replace(".", "")
    for file in files:
        compiled = file.parent / "__pycache__" / f"{file.stem}.{tag}.pyc"
        if file.suffix == ".py" and (root / compiled).is_file():
            yield compiled
