"""``python -m classifier`` is the command line."""

from classifier.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
