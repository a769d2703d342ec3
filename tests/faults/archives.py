"""Archives that tests write."""

import zipfile


def write_zip(path, members):
    """A zip of (name or ZipInfo, content)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for info, content in members:
            zipped.writestr(info, content)
