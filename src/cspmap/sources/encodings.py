"""What a file of text is written in."""

# What text in UTF-16 begins with, one or the other.
UTF16 = (b"\xff\xfe", b"\xfe\xff")


def find_encoding(content: bytes) -> str | None:
    """UTF-8, UTF-16 (which says so itself) or Windows-1252, tried in this order; None where it is none of them."""
    for encoding in ("UTF-16",) if content.startswith(UTF16) else ("UTF-8", "Windows-1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return None
