"""Sphinx's settings: furo is the theme, MyST reads the pages, autodoc makes the reference."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from pinecone_backups_async import __version__

project = "pinecone-backups-async"
author = "the pinecone-backups-async developers"
project_copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "examples"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
smartquotes_action = "qe"  # two hyphens begin an option, and are no dash

default_role = "py:obj"  # a name in single backticks in a docstring: a link where it is public, else plain code
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 80

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["tables.js"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False


DEFAULTS = {
    "NOTHING": "...",  # made anew by a factory of attrs
    "<built-in function monotonic>": "time.monotonic",
    "<bound method SystemRandom.random of <random.SystemRandom object>>": "SystemRandom().random",
    "<class 'pinecone_backups_async._client.BackupsClient'>": "BackupsClient",
    "datetime.timedelta(seconds=21600)": "timedelta(hours=6)",
}


def readable_defaults(*event: Any) -> tuple[str | None, str | None]:
    """Return a signature and its result, with each default as the code has it."""
    signature, result = event[-2:]
    for shown, written in DEFAULTS.items() if signature is not None else ():
        signature = signature.replace(shown, written)
    return signature, result


def public_bases(*event: Any) -> None:
    """Put the public ancestor in the place of a private base."""
    bases: list[Any] = event[-1]
    classes = [getattr(base, "__origin__", base) for base in bases]  # of a generic class: the class itself
    bases[:] = [next(cls for cls in each.__mro__ if not cls.__name__.startswith("_")) for each in classes]


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-signature", readable_defaults)
    app.connect("autodoc-process-bases", public_bases)
