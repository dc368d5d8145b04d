"""What a project's own tests need: pytest fixtures that deploy its endpoints into a cloud of their own.

plugin -> cloud, endpoint     the fixtures; loaded by every pytest run, so it imports these on first use
endpoint -> cloud, release    predictions over HTTP, and rehearsed releases
cloud -> host                 the process that runs the offline cloud and deploys into it, and ends with the tests

The classes are for annotations: `def test_it_predicts(endpoint: "EndpointUnderTest") -> None`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from serinus.testing.cloud import SessionCloud
    from serinus.testing.endpoint import EndpointsUnderTest, EndpointUnderTest
    from serinus.testing.release import RehearsedRelease

__all__ = ["EndpointUnderTest", "EndpointsUnderTest", "RehearsedRelease", "SessionCloud"]

_MODULES = {"SessionCloud": "cloud", "RehearsedRelease": "release"}

if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'endpoint')}"), name)
