"""Routes are found by the most specific resource that has the method."""

import pytest

from serinus.offline.http.routing import Router


@pytest.fixture
def router() -> Router[str]:
    router: Router[str] = Router()
    for path, method in (
        ("/", "GET"),
        ("/a", "GET"),
        ("/a/{id}", "GET"),
        ("/a/{id}/parts", "POST"),
        ("/a/{rest+}", "ANY"),
        ("/b/{rest+}", "GET"),
    ):
        router.add(path, method, f"{method} {path}")
    return router


@pytest.mark.parametrize(
    ("method", "path", "route", "parameters"),
    [
        ("GET", "/", "GET /", {}),
        ("GET", "/a/", "GET /a", {}),
        ("GET", "/a/7", "GET /a/{id}", {"id": "7"}),
        ("PUT", "/a/7", "ANY /a/{rest+}", {"rest": "7"}),
        ("POST", "/a/7/parts", "POST /a/{id}/parts", {"id": "7"}),
        ("POST", "/a/7/others", "ANY /a/{rest+}", {"rest": "7/others"}),
        ("GET", "/b/x%2Fy/z%20", "GET /b/{rest+}", {"rest": "x/y/z "}),
        ("GET", "/%61", "GET /a", {}),
    ],
)
def test_a_path_finds_its_route(
    router: Router[str], method: str, path: str, route: str, parameters: dict[str, str]
) -> None:
    assert router.find(method, path) == (route, parameters)


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/b"), ("GET", "/c"), ("DELETE", "/b/x")])
def test_other_paths_find_nothing(router: Router[str], method: str, path: str) -> None:
    assert router.find(method, path) is None
