"""Which lines of a requirements file are installed for a model: what only names packages and versions.

A file that the user names may give ranges. One that came with a model, whose author may be anybody, may only pin:
what is current of a name today may be somebody else's tomorrow.
"""

from pathlib import Path

from serinus.modelpack.errors import IsolationError, RequestError
from serinus.modelpack.isolation.environment_spec import any_skewed
from serinus.modelpack.isolation.requirement_pins import read_lines, shown
from serinus.modelpack.progress import Progress


def own_lines(path: Path) -> tuple[str, ...]:
    """The requirements in the user's own file; raises `RequestError` where a line is more than a name with
    versions."""
    try:
        lines = read_lines(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"requirements {path} cannot be read: {error}.") from error
    if lines.refused:
        raise RequestError(
            f"requirements {path} hold {shown(lines.refused)}. A line may name a package and its versions, as in "
            "scikit-learn==1.5.2, and nothing else: options, hashes, URLs and paths are not taken, for some of "
            "them run code of their author's. Write out what the line stands for; UV_DEFAULT_INDEX or "
            "PIP_INDEX_URL names an index of your own."
        )
    return (*lines.pinned, *lines.open)


def logged_lines(listed: tuple[str, ...], place: Path, progress: Progress) -> tuple[str, ...]:
    """The pins among the lines ``listed`` in file ``place`` of a model's folder. Where other versions than the
    installed ones are needed, raises `IsolationError` for lines that are no names with versions; a notice names
    what else is passed over."""
    lines = read_lines(listed)
    skewed = any_skewed(lines.pinned)
    if lines.refused and skewed:
        raise IsolationError(
            f"{place} lists {shown(lines.refused)}. For a model only names with == and a version are installed, "
            "as in scikit-learn==1.5.2: options, URLs and paths could run code of their author's. Write the "
            "requirements that you trust into a file of your own and package with --env requirements.txt, or with "
            "the installed versions: --allow-version-skew."
        )
    passed_over = lines.refused + (lines.open if skewed else ())
    if passed_over:
        progress.notice(
            f"{place} lists {shown(passed_over)}, which is not installed: only names with == and a version are. "
            "If the model needs it, package with --env requirements.txt."
        )
    return lines.pinned
