"""What gateways and workers say of themselves in their metrics, as an operator wants to see it.

``scrape`` reads one page of metrics, ``window`` knows what was counted between several, ``quantiles`` what
histograms say of it; ``figures`` folds all targets into one view, ``screen`` draws it.
"""
