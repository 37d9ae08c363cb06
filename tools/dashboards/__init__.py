"""The Grafana dashboards as code: ``python -m tools.dashboards`` writes them to monitoring/dashboards.

``queries`` builds PromQL, ``panels`` builds panels, and ``board`` contains what all dashboards share. ``overview``,
``inference`` and ``gateway`` are the dashboards.
"""
