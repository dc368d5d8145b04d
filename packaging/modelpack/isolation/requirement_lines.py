"""Which lines of a requirements file are installed for a model: only names with versions.

A file that the user names may hold ranges. One that came with a model, whose author may be anybody, may only pin:
the current release of a name may be somebody else's tomorrow.
"""

from pathlib import Path

from serinus.modelpack.errors import IsolationError, RequestError
from serinus.modelpack.isolation.environment_spec import any_version_skew
from serinus.modelpack.isolation.requirement_pins import format_lines, parse_lines
from serinus.modelpack.progress import Progress


def read_user_requirements(path: Path) -> tuple[str, ...]:
    """The requirements in the user's own file; raises `RequestError` where a line is more than a name with
    versions."""
    try:
        lines = parse_lines(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"requirements {path} cannot be read: {error}. Pass a text file in UTF-8.") from error
    if lines.refused:
        raise RequestError(
            f"requirements {path} contain {format_lines(lines.refused)}. A line may name a package and its "
            "versions, as in scikit-learn==1.5.2, and nothing else: options, hashes, URLs and paths are rejected, "
            "because some of them run their author's code. Replace the line by names with versions; set "
            "UV_DEFAULT_INDEX or PIP_INDEX_URL to use your own index."
        )
    return (*lines.pinned, *lines.open)


def read_logged_requirements(listed: tuple[str, ...], path: Path, progress: Progress) -> tuple[str, ...]:
    """The pins among the lines ``listed`` in file ``path`` of a model's folder. Where the model requires other
    versions than the installed ones, raises `IsolationError` for lines that are not names with versions; a notice
    names the other lines that are skipped."""
    lines = parse_lines(listed)
    skewed = any_version_skew(lines.pinned)
    if lines.refused and skewed:
        raise IsolationError(
            f"{path} lists {format_lines(lines.refused)}. For a model only names with == and a version are "
            "installed, as in scikit-learn==1.5.2: options, URLs and paths could run their author's code. Write "
            "the requirements that you trust into a file of your own and package with --requirements FILE, or use "
            "the installed versions: --allow-version-skew."
        )
    skipped = lines.refused + (lines.open if skewed else ())
    if skipped:
        progress.notice(
            f"{path} lists {format_lines(skipped)}, which is not installed: only names with == and a version are. "
            "If the model needs it, package with --requirements FILE."
        )
    return lines.pinned
