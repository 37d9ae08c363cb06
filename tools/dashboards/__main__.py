"""Writes the dashboards to monitoring/dashboards, always in the same order."""

from tools.dashboards.files import DASHBOARDS, FOLDER, rendered

for name, build in DASHBOARDS.items():
    (FOLDER / name).write_text(rendered(build()))
    print(FOLDER / name)
