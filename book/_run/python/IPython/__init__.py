"""The part of IPython that shows things, for code that runs in a page of the book: `display` and how values print.

Around IPython's own modules for both stand these few names; what a terminal or a kernel needs is not here.
"""

from IPython import display
from IPython.core.interactiveshell import InteractiveShell, get_ipython
from IPython.core.release import version as __version__
from IPython.core.release import version_info

__all__ = ["InteractiveShell", "__version__", "display", "get_ipython", "version_info"]
