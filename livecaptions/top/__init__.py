"""The implementation of ``livecaptions top``: figures from the metrics of gateways and workers.

``scrape`` parses one page of metrics, ``window`` computes increases between several, ``quantiles`` evaluates
histograms, ``figures`` combines all targets, and ``screen`` draws them.
"""
