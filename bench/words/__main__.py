"""``python -m bench.words [TABLE ...] [--model tiny.en]``: prints the tables of docs/accuracy.md."""

import argparse
import logging
from collections.abc import Callable

import structlog

from bench.words import conditions, finals, languages, mistakes, refined, stability, twice, vocabulary

TABLES: dict[str, Callable[[str], None]] = {
    "finals": finals.print_table,
    "refined": refined.print_table,
    "languages": languages.print_table,
    "conditions": conditions.print_table,
    "mistakes": mistakes.print_table,
    "twice": twice.print_table,
    "stability": stability.print_table,
    "vocabulary": vocabulary.print_table,
    "vocabulary-harm": vocabulary.print_harm_table,
}
"""What prints each table, given the model's name."""


def main() -> None:
    """Print the tables asked for, all without any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"all, or some of {', '.join(TABLES)}")
    parser.add_argument("--model", action="append", help="tiny.en, base, or a folder; both without any")
    options = parser.parse_args()
    if unknown := set(options.tables) - set(TABLES):
        parser.error(f"{', '.join(sorted(unknown))}: tables are {', '.join(TABLES)}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for name in options.tables or TABLES:
        for model in options.model or ("tiny.en", "base"):
            print(f"\n## {name}\n")
            TABLES[name](model)


if __name__ == "__main__":
    main()
