"""Archives that tests write."""

import io
import zipfile


def write_zip(path, members):
    """A zip of (name or ZipInfo, content)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for info, content in members:
            zipped.writestr(info, content)


def undecodable(method=zipfile.ZIP_DEFLATED):
    """Bytes of a zip of s01.dat whose stream no decoder accepts: zlib and lzma raise errors of their own for it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as zipped:
        zipped.writestr("s01.dat", bytes(range(256)) * 40)
    content, start = bytearray(out.getvalue()), 30 + len("s01.dat")  # a local header has 30 bytes and the name
    if method == zipfile.ZIP_LZMA:
        content[start + 4] = 0xFF  # after version and length of the properties: lc, lp and pb, at most 224 together
    else:
        content[start] |= 0b110  # the type of the first block: 3, which deflate does not have
    return bytes(content)
