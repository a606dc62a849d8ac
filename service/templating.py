"""The templates of all parts, each found under the name of its part."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined, select_autoescape

FOLDERS: Final = {"http": "http"} | {part: f"{part}/templates" for part in ("papers", "reports", "pages")}
"""Where each part keeps its templates."""

TEMPLATES: Final = Environment(
    loader=PrefixLoader({part: FileSystemLoader(Path(__file__).parent / folder) for part, folder in FOLDERS.items()}),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
