"""PromQL over our metrics, of the instances that are chosen; names come without their prefix."""

CHOSEN = 'instance=~"$instance"'
OURS = 'job=~"livecaptions.*"'
"""Of metrics that other people's processes have too."""
WITHIN = "[$__rate_interval]"


class Pattern(str):
    """A label's values as a regular expression."""

    __slots__ = ()


def gauge(name: str, *by: str, fold: str = "sum", **labels: str) -> str:
    """A gauge, folded over all but the labels ``by``."""
    return f"{fold}{_by(by)}({_series(name, labels)})"


def rate(name: str, *by: str, **labels: str) -> str:
    """What a counter grows by in a second, summed over all but the labels ``by``."""
    return f"sum{_by(by)}(rate({_series(name, labels)}{WITHIN}))"


def counted(name: str, *by: str, **labels: str) -> str:
    """What a counter grew by over the dashboard's time, likewise."""
    return f"sum{_by(by)}(increase({_series(name, labels)}[$__range]))"


def ratio(over: str, under: str) -> str:
    """One query's answer for each of another's."""
    return f"{over} / {under}"


def within(histogram: str, bound: float) -> str:
    """The share of observations that are no larger than ``bound``, which is the bound of a bucket."""
    return ratio(rate(f"{histogram}_bucket", le=str(float(bound))), rate(f"{histogram}_count"))


def quantile(share: float, histogram: str, *by: str, **labels: str) -> str:
    """A histogram's quantile, by the labels ``by``."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', 'le', *by, **labels)})"


def mean(histogram: str, *by: str) -> str:
    """A histogram's mean, by the labels ``by``."""
    return ratio(rate(f"{histogram}_sum", *by), rate(f"{histogram}_count", *by))


def _series(name: str, labels: dict[str, str]) -> str:
    everybody_has_it = name.startswith("process_") or name == "up"
    matchers = [CHOSEN, *([OURS] if everybody_has_it else [])]
    for label, value in labels.items():
        matchers.append(f'{label}{"=~" if isinstance(value, Pattern) else "="}"{value}"')
    return f"{'' if everybody_has_it else 'livecaptions_'}{name}{{{', '.join(matchers)}}}"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""
