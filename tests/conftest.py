"""What holds for every test, however the run was started."""

import signal


def pytest_configure() -> None:
    """Let tests press Ctrl-C: a shell starts what runs in the background with SIGINT ignored, and whatever a test
    starts would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
