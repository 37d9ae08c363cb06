"""How right the words are: ``python -m bench.words`` prints every table of docs/accuracy.md."""
