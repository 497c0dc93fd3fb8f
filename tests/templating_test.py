import jinja2
import pytest

from visualpoet import templating


def test_what_goes_into_a_page_is_escaped_and_into_a_card_is_not(monkeypatch):
    templates = {"a.html": "{{ poem }}", "a.md": "{{ poem }}"}
    loader = jinja2.DictLoader(templates)
    monkeypatch.setattr(templating._ENVIRONMENT, "loader", loader)
    assert templating.render("a.html", poem="<b>") == "&lt;b&gt;"
    assert templating.render("a.md", poem="<b>") == "<b>"
    with pytest.raises(jinja2.UndefinedError, match="poem"):
        templating.render("a.md", poet="a")
