"""Prepares a worker's interpreter, code, layers and credentials before it starts."""

import asyncio
import itertools
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from serinus.offline.core.clock import Clock
from serinus.offline.sandbox.environment import Credentials, WorkerPaths, worker_environment
from serinus.offline.sandbox.interpreter import Interpreter, prepare
from serinus.offline.sandbox.spec import FunctionSpec, InitializationType
from serinus.offline.sandbox.unpack import Unpacker
from serinus.offline.sandbox.worker import Launch

#: Seconds of validity below which a role's credentials are fetched anew.
RENEW_CREDENTIALS_S = 300.0

AssumeRole = Callable[[str, str, str], Credentials]


@dataclass(frozen=True, slots=True)
class PreparedFunction:
    """A function version unpacked on disk; ``notes`` belong in the cloud's log."""

    interpreter: Interpreter
    task_root: Path
    opt: Path
    notes: tuple[str, ...]


class Preparation:
    """Prepares function versions, each part once."""

    def __init__(
        self,
        work_dir: Path,
        unpacker: Unpacker,
        interpreters: dict[str, Path],
        assume_role: AssumeRole,
        endpoint_url: str,
        clock: Clock,
    ) -> None:
        self.work_dir = work_dir
        self.unpacker = unpacker
        self._configured = interpreters
        self._assume_role = assume_role
        self._endpoint_url = endpoint_url
        self._clock = clock
        self._interpreters: dict[Path | None, Interpreter] = {}
        self._credentials: dict[tuple[str, str], Credentials] = {}
        self._serial = itertools.count()

    async def prepare(self, spec: FunctionSpec) -> PreparedFunction:
        """Unpack the code and layers of ``spec``; raises `Unloadable` or `OfflineError` with the reason."""
        return await asyncio.to_thread(self._prepare, spec)

    def _prepare(self, spec: FunctionSpec) -> PreparedFunction:
        interpreter = self._interpreter(spec.runtime)
        code = self.unpacker.tree(spec.code, interpreter.soabi)
        layers = [self.unpacker.tree(layer, interpreter.soabi) for layer in spec.layers]
        opt = self.unpacker.merged(layers) if layers else self._empty_opt()
        notes = [tree.note for tree in (code, *layers) if tree.note]
        if spec.runtime != f"python{interpreter.version}":
            notes.insert(0, f"{spec.runtime} was requested; Python {interpreter.full_version} runs this function")
        return PreparedFunction(interpreter, code.path, opt, tuple(notes))

    def _interpreter(self, runtime: str) -> Interpreter:
        executable = self._configured.get(runtime)
        if executable not in self._interpreters:
            self._interpreters[executable] = prepare(executable, self.work_dir)
        return self._interpreters[executable]

    def _empty_opt(self) -> Path:
        empty = self.work_dir / "opt-empty"
        empty.mkdir(exist_ok=True)
        return empty

    async def credentials(self, spec: FunctionSpec) -> Credentials:
        """The role's temporary credentials; renewed when they are about to expire."""
        session = (spec.role, spec.name)
        known = self._credentials.get(session)
        if known is None or known.expires_at - self._clock.time() < RENEW_CREDENTIALS_S:
            known = await asyncio.to_thread(self._assume_role, spec.role, spec.name, spec.region)
            self._credentials[session] = known
        return known

    def launch(
        self,
        spec: FunctionSpec,
        prepared: PreparedFunction,
        credentials: Credentials,
        initialization: InitializationType,
        log_stream: str,
        announce: Callable[[int, bool], None],
    ) -> Launch:
        scratch = Path(tempfile.mkdtemp(prefix=f"tmp-{next(self._serial)}-", dir=self.work_dir))
        paths = WorkerPaths(prepared.task_root, prepared.opt, scratch)

        def environment(runtime_api: str) -> dict[str, str]:
            return worker_environment(
                spec,
                paths=paths,
                interpreter=prepared.interpreter,
                runtime_api=runtime_api,
                initialization=initialization,
                log_stream=log_stream,
                credentials=credentials,
                endpoint_url=self._endpoint_url,
            )

        command = [str(prepared.interpreter.executable), "-S", "-s", "-B", "-m", "awslambdaric", spec.handler]
        return Launch(command, prepared.task_root, environment, announce, scratch)


def stream_name(spec: FunctionSpec, clock: Clock, dice: random.Random) -> str:
    """The log stream of one execution environment, as AWS names it: yyyy/mm/dd/[version]id."""
    prefix = f"{clock.now():%Y/%m/%d}/"
    if spec.log_group != f"/aws/lambda/{spec.name}":
        return f"{prefix}{spec.name}[{spec.version}]{dice.getrandbits(128):032x}"
    return f"{prefix}[{spec.version}]{dice.getrandbits(128):032x}"
