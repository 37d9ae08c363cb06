"""The Grafana dashboards, as code: ``python -m tools.dashboards`` writes them to monitoring/dashboards.

``queries`` is the PromQL that panels ask, ``panels`` how answers are drawn, ``board`` what all dashboards share;
``overview``, ``inference`` and ``gateway`` are the dashboards.
"""
