"""The book's public address: one setting, ``backprop_address`` in _config.yml, behind every link to the repository.

While it is empty no such link is drawn. With ``https://github.com/owner/name`` the theme shows its repository, issue
Colab and Binder buttons, and every derivation a "report this equation".
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

GITHUB = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")
BRANCH = "main"
LAUNCHED = {
    "notebook_interface": "jupyterlab",
    "colab_url": "https://colab.research.google.com",
    "binderhub_url": "https://mybinder.org",
}


def theme_options(address: str) -> dict[str, object]:
    """The theme's options that follow from the address.

    Raises
    ------
    ConfigError
        When it is neither empty nor the address of a GitHub repository.

    Examples
    --------
    >>> theme_options("")
    {}
    >>> theme_options("https://github.com/owner/name/")["repository_url"]
    'https://github.com/owner/name'
    """
    if not address:
        return {}
    if not GITHUB.fullmatch(address.rstrip("/")):
        raise ConfigError(f"backprop_address: expected '' or 'https://github.com/owner/name', got {address!r}")
    return {
        "repository_url": address.rstrip("/"),
        "repository_branch": BRANCH,
        "use_issues_button": True,
        "use_repository_button": True,
        "launch_buttons": LAUNCHED,
    }


def apply(app: Sphinx, config: Config) -> None:
    config.html_theme_options = {**config.html_theme_options, **theme_options(config.backprop_address)}


def setup(app: Sphinx) -> None:
    app.add_config_value("backprop_address", "", "env", types=[str])
    app.connect("config-inited", apply)
