"""`serinus deploy` interrupted, and the offline cloud killed, in the middle of a release: the next deploy works,
or says what it waits for.

The cloud is a process that keeps its state; its clock stands until it is stepped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serinus.cli import offline_process
from serinus.cli.release_reader import AliasDeployment, RolloutReader
from serinus.cli.target import CloudTarget

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("interrupted")]

STACK = "shop-local-churn"
#: Real seconds after which something counts as stuck, on however busy a machine.
PATIENCE_S = 400.0
STEP_S = 20.0


class Command:
    """A `serinus` command at work, in a process group of its own as in a terminal."""

    def __init__(self, folder: Path, environment: dict[str, str], log: Path, *arguments: str) -> None:
        self._log = log
        with log.open("w") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "serinus", *arguments, "--local"],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def over(self) -> bool:
        return self._process.poll() is not None

    def press_ctrl_c(self) -> int:
        """Interrupt it; its exit code, which shells take from the signal where Python ends by that itself."""
        os.killpg(self._process.pid, signal.SIGINT)
        code = self._process.wait(PATIENCE_S)
        return 128 + signal.SIGINT if code == -signal.SIGINT else code

    def exit_code(self) -> int:
        return self._process.wait(PATIENCE_S)

    def end(self) -> None:
        if not self.over:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Shop:
    """The project, and its cloud."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._commands: list[Command] = []
        self._revision = 0

    def serinus(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end; what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "serinus", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def up(self) -> None:
        self.serinus("local", "up", "--port", str(self._port), "--speed", "0", "--state", ".cloud")
        cloud = offline_process.require(self.folder)
        self.pid, self.url = cloud.pid, cloud.url
        target = CloudTarget(cloud)
        self.reader, self._cloudformation = RolloutReader(target, STACK), target.client("cloudformation")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def down(self) -> None:
        for command in self._commands:
            command.end()
        self.serinus("local", "down")

    def change(self) -> None:
        """Let the next deploy make a version of its own, of the same bundle."""
        self._revision += 1
        (self.folder / "serinus.toml").write_text(
            '[project]\nname = "shop"\n\n[endpoint.churn]\nmodel = "tumour"\n'
            f'variables = {{ REVISION = "{self._revision}" }}\n\n[endpoint.churn.rollout]\n'
            'strategy = "canary"\nshare_percent = 20\nbake_minutes = 6\n'
        )

    def start(self, *arguments: str) -> Command:
        log = self.folder / f"command-{len(self._commands)}.log"
        self._commands.append(Command(self.folder, self.environment, log, *arguments))
        return self._commands[-1]

    def deploy(self) -> Command:
        return self.start("deploy")

    def status(self) -> str:
        found: str = self._cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        return found

    def stand_until(self, happened: Callable[[], bool]) -> None:
        """Wait, while cloud time all but stands, for what takes real time alone."""
        self._until(happened, lambda: 0.01)

    def pass_until(self, happened: Callable[[], bool]) -> None:
        """Let cloud time pass while traffic shifts, and wait otherwise."""
        self._until(happened, lambda: STEP_S if self.reader.alias().canary else 0.01)

    def _until(self, happened: Callable[[], bool], step_s: Callable[[], float]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline, [one.said[-2000:] for one in self._commands]
            advance = {"advance": step_s()}
            offline_process.require(self.folder).own_api().post(
                "/clock", advance, timeout_s=120
            ).raise_for_status()
            time.sleep(0.25)


@pytest.fixture(scope="module")
def shop(project: Path) -> Iterator[Shop]:
    made = Shop(project)
    packaged = ["training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv"]
    made.serinus("package", *packaged)
    made.up()
    try:
        made.change()
        deploying = made.deploy()
        made.stand_until(lambda: deploying.over)
        assert deploying.exit_code() == 0, deploying.said
        yield made
    finally:
        made.down()


def releases_since(shop: Shop, version: str) -> list[AliasDeployment]:
    """The last releases of versions after ``version``, newest first."""
    return [one for one in shop.reader.deployments(3) if one.undoes is None and int(one.canary) > int(version)]


def test_the_next_deploy_works_or_says_what_it_waits_for(shop: Shop) -> None:
    first, watching = interrupt_the_update(shop)
    second = interrupt_the_shift_of_a_deploy_that_waits(shop, first)
    assert watching.exit_code() == 0, watching.said
    assert f"of version {second} over {first} was promoted" in watching.said
    third = release_the_same_again_and_kill_the_cloud(shop, second)

    shop.up()
    shop.change()
    following = shop.deploy()
    shop.stand_until(lambda: "waiting for" in following.said)
    shop.pass_until(lambda: following.over)
    assert following.exit_code() == 0, following.said
    newest, killed = releases_since(shop, third)[:2]
    assert (killed.status, newest.status) == ("Succeeded", "Succeeded")
    assert (shop.status(), shop.reader.alias().version) == ("UPDATE_COMPLETE", newest.canary)

    stop_the_update(shop)


def stop_the_update(shop: Shop) -> None:
    """`serinus rollout stop` while CloudFormation is at work: nothing has changed, and the next deploy works."""
    live = shop.reader.alias().version
    shop.change()
    deploying = shop.deploy()
    shop.stand_until(lambda: shop.status() == "UPDATE_IN_PROGRESS")
    shop.serinus("rollout", "stop", "churn", "--local")
    shop.pass_until(lambda: shop.status() == "UPDATE_ROLLBACK_COMPLETE")
    assert deploying.exit_code() == 1, deploying.said
    assert (shop.reader.alias().version, shop.reader.alias().canary) == (live, None)


def interrupt_the_update(shop: Shop) -> tuple[str, Command]:
    """Ctrl-C while CloudFormation is at work, before any traffic has moved; the live version, and who watches."""
    live = shop.reader.alias().version
    shop.change()
    deploying = shop.deploy()
    shop.stand_until(lambda: shop.status() == "UPDATE_IN_PROGRESS")
    assert deploying.press_ctrl_c() == 130
    assert "the release of churn continues: `serinus rollout watch churn --local` follows it" in deploying.said
    assert "Traceback" not in deploying.said
    # It waits for the release to begin, rather than tell of an earlier one.
    watching = shop.start("rollout", "watch", "churn")
    assert "a release of churn is under way" in shop.serinus("rollback", "churn", "--local", code=1)
    return live, watching


def interrupt_the_shift_of_a_deploy_that_waits(shop: Shop, before: str) -> str:
    """The next deploy waits until the interrupted release is over, makes its own, and is interrupted and stopped
    in the middle of the shift; the live version."""
    shop.change()
    waiting = shop.deploy()
    shop.stand_until(lambda: "waiting for" in waiting.said)
    assert f"waiting for {STACK}, which is UPDATE_IN_PROGRESS" in waiting.said
    shop.pass_until(lambda: len(releases_since(shop, before)) == 2)
    interrupted = releases_since(shop, before)[1]
    assert interrupted.status == "Succeeded"

    shop.stand_until(lambda: bool(shop.reader.alias().canary))
    assert waiting.press_ctrl_c() == 130
    assert "`serinus rollout stop churn --local` stops it" in waiting.said
    assert "Traceback" not in waiting.said
    shop.serinus("rollout", "stop", "churn", "--local")
    shop.pass_until(lambda: shop.status() == "UPDATE_ROLLBACK_COMPLETE")
    assert releases_since(shop, before)[0].status == "Stopped"
    assert shop.reader.alias().version == interrupted.canary
    return interrupted.canary


def release_the_same_again_and_kill_the_cloud(shop: Shop, before: str) -> str:
    """What was stopped is released again as it is, up to the middle of its shift; the live version."""
    deploying = shop.deploy()
    shop.stand_until(lambda: bool(shop.reader.alias().canary))
    live = shop.reader.alias().version
    assert live == before
    shop.kill()
    assert deploying.exit_code() == 1
    assert "Traceback" not in deploying.said
    return live
