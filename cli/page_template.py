"""Renders HTML pages from Jinja2 templates that escape every value; Jinja2 is imported only when a page is
written."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup


def render_page(template: Path, **values: Any) -> str:
    """The page that ``template`` makes of ``values``; what is not `safe_svg` is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(values)


def safe_svg(drawing: str) -> "Markup":
    """``drawing``, whose texts are escaped already, to be written into a page as it is."""
    from markupsafe import Markup

    return Markup(drawing)
