"""Gathering, updating and compiling translations without gettext."""

import gettext

from cxportal import catalogues

CODE = """
from django.utils.translation import gettext as _, gettext_lazy, ngettext
label = gettext_lazy("A label")
def page(n):
    return _("Hello %(name)s") % {"name": n} + ngettext("%(n)s row", "%(n)s rows", n)
"""
PAGE = """
<h1>{% translate "A title" %}</h1>
  {% if a %}<p>{% blocktranslate trimmed count n=rows %}
    {{ n }} client
  {% plural %}
    {{ n }} clients
  {% endblocktranslate %}</p>{% endif %}
"""


def project(tmp_path):
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "views.py").write_text(CODE)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(PAGE)
    return tmp_path


def test_messages_of_code_and_templates_are_gathered(tmp_path):
    found = {message.id for message in catalogues.gather(project(tmp_path)) if message.id}
    assert found == {
        "A label",
        "A title",
        "Hello %(name)s",
        ("%(n)s row", "%(n)s rows"),
        ("%(n)s client", "%(n)s clients"),
    }


def test_update_keeps_what_is_in_use_and_drops_the_rest(tmp_path):
    root = project(tmp_path)
    path = catalogues.update(root, "zh_Hans")
    text = path.read_text().replace('msgid "A title"\nmsgstr ""', 'msgid "A title"\nmsgstr "标题"')
    path.write_text(text)
    (root / "bank" / "views.py").write_text("")
    catalogues.update(root, "zh_Hans")
    after = path.read_text()
    assert 'msgstr "标题"' in after
    assert "A label" not in after


def test_compiled_form_is_made_once_and_can_be_read(tmp_path):
    path = catalogues.update(project(tmp_path), "zh_Hans")
    text = path.read_text().replace('msgid "A title"\nmsgstr ""', 'msgid "A title"\nmsgstr "标题"')
    path.write_text(text)
    (made,) = catalogues.compile_all(tmp_path / "locale")
    assert catalogues.compile_all(tmp_path / "locale") == []
    with made.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("A title") == "标题"
    assert sorted(one.name for one in made.parent.iterdir()) == ["django.mo", "django.po"]
