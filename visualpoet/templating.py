"""Pages and cards, from the folder `templates`."""

from typing import Any

import jinja2

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("visualpoet"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, **values: Any) -> str:
    """Fills a template in.

    Args:
        name: Its file name; what goes into .html is escaped.
        **values: What it speaks of.

    Returns:
        The text.

    Raises:
        jinja2.UndefinedError: If it speaks of something else.
    """
    return _ENVIRONMENT.get_template(name).render(values)
