"""Builds PromQL over the metrics of the selected instances. Names come without their prefix."""

CHOSEN = 'instance=~"$instance"'
OURS = 'job=~"livecaptions.*"'
"""Prefixes of metrics that other programs expose too."""
WITHIN = "[$__rate_interval]"


class Pattern(str):
    """A regular expression that the value of a label has to match."""

    __slots__ = ()


def gauge(name: str, *by: str, fold: str = "sum", **labels: str) -> str:
    """A gauge, aggregated over all labels except ``by``."""
    return f"{fold}{_by(by)}({_series(name, labels)})"


def rate(name: str, *by: str, **labels: str) -> str:
    """The increase of a counter per second, summed over all labels except ``by``."""
    return f"sum{_by(by)}(rate({_series(name, labels)}{WITHIN}))"


def counted(name: str, *by: str, **labels: str) -> str:
    """The increase of a counter over the dashboard's time range, summed over all labels except ``by``."""
    return f"sum{_by(by)}(increase({_series(name, labels)}[$__range]))"


def ratio(over: str, under: str) -> str:
    """The quotient of two queries."""
    return f"{over} / {under}"


def within(histogram: str, bound: float) -> str:
    """The share of observations up to ``bound``, which has to be the bound of a bucket."""
    return ratio(rate(f"{histogram}_bucket", le=str(float(bound))), rate(f"{histogram}_count"))


def quantile(share: float, histogram: str, *by: str, **labels: str) -> str:
    """A quantile of a histogram, grouped by the labels ``by``."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', 'le', *by, **labels)})"


def mean(histogram: str, *by: str) -> str:
    """The mean of a histogram, grouped by the labels ``by``."""
    return ratio(rate(f"{histogram}_sum", *by), rate(f"{histogram}_count", *by))


def _series(name: str, labels: dict[str, str]) -> str:
    everybody_has_it = name.startswith("process_") or name == "up"
    matchers = [CHOSEN, *([OURS] if everybody_has_it else [])]
    for label, value in labels.items():
        matchers.append(f'{label}{"=~" if isinstance(value, Pattern) else "="}"{value}"')
    return f"{'' if everybody_has_it else 'livecaptions_'}{name}{{{', '.join(matchers)}}}"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""
