"""Runs one invocation on a ready worker, determines its outcome and logs it as AWS does."""

from serinus.offline.core.clock import Clock
from serinus.offline.sandbox.cold_start import StartedWorker
from serinus.offline.sandbox.outcomes import SignalOutcome, outcome_of
from serinus.offline.sandbox.platform_log import PlatformLog, Report
from serinus.offline.sandbox.spec import FunctionSpec, Invocation, InvocationOutcome

NO_WORKER = SignalOutcome(b"", "Unhandled", "error", "Sandbox.CannotStart")


async def execute(
    started: StartedWorker, invocation: Invocation, spec: FunctionSpec, clock: Clock
) -> InvocationOutcome:
    """Run ``invocation`` on the started worker; without a worker, return the reason as its outcome."""
    journal, log, worker = started.journal, PlatformLog(spec), started.worker
    if not started.request_logged:
        journal.write(log.start(clock.time(), invocation.request_id))
    if worker is None:
        outcome, duration_ms = started.failure or NO_WORKER, started.init_ms or 0.0
    else:
        signal, duration_ms = await worker.invoke(invocation)
        outcome = outcome_of(signal, invocation.request_id, clock.time())
        if outcome.fatal:
            worker.kill()
    report = _report(started, outcome, duration_ms, invocation.request_id)
    lines = [outcome.log_line, log.end(invocation.request_id), log.report(clock.time(), report)]
    journal.write(*lines)
    provisioned = worker is not None and worker.initialization == "provisioned-concurrency"
    return InvocationOutcome(outcome.payload, outcome.function_error, duration_ms, journal.tail(), provisioned)


def _report(started: StartedWorker, outcome: SignalOutcome, duration_ms: float, request_id: str) -> Report:
    worker = started.worker
    return Report(
        request_id,
        duration_ms,
        min(round(worker.peak_mb), worker.spec.memory_mb) if worker else 0,
        started.init_ms if worker and worker.initialization == "on-demand" else None,
        started.restore_ms,
        outcome.status,
        outcome.error_type,
    )
