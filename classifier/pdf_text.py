"""The text of a PDF, bytes on stdin to UTF-8 on stdout. Run as a program of its own by `uploads`, never imported by it.

A PDF can keep a parser busy for ever or fill the memory, and a thread cannot be stopped: a process can. It imports nothing
of this package, so that it starts quickly. Exit code 2 says on stderr, in a few words, why there is no text.
"""

from __future__ import annotations

import io
import logging
import sys

MAX_PAGES = 60
MAX_MEMORY = 1_500_000_000
MAX_SECONDS = 15


def pdf_text(raw: bytes, most: int) -> str:
    """Text of the pages in order, until there are more than `most` characters."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = pypdf.PdfReader(io.BytesIO(raw))
    if reader.is_encrypted and not reader.decrypt(""):
        raise ValueError("it is locked with a password")
    if len(reader.pages) > MAX_PAGES:
        raise ValueError(f"it has {len(reader.pages)} pages, the limit is {MAX_PAGES}")
    found: list[str] = []
    for page in reader.pages:
        found.append(page.extract_text())
        if sum(map(len, found)) > most:
            break
    return "\n".join(found).strip()


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the caller's time limit holds there too
        return
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))


def _main() -> int:
    _limit()
    try:
        text = pdf_text(sys.stdin.buffer.read(), int(sys.argv[1]))
    except ImportError:
        print("pypdf is missing", file=sys.stderr)
        return 3
    except ValueError as error:
        print(error if str(error).startswith("it ") else "it is damaged", file=sys.stderr)
        return 2
    except Exception as error:
        # A broken PDF raises whatever its breakage leads to; all of it means the same to the user.
        print(f"it is damaged ({type(error).__name__})", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
