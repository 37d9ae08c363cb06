"""``livecaptions topics``: create the missing topics on Kafka."""

import asyncio

import typer

from livecaptions.logs import kafka_settings, topic_plans
from livecaptions.settings.load import Effective
from monitoring.logs import configure_logs
from transport.kafka import create_topics


def topics(effective: Effective) -> None:
    """Create the missing topics on Kafka with the partitions, replication and retention of the settings."""
    settings = effective.settings
    configure_logs(settings.log_format, settings.log_level)
    kafka, plans = kafka_settings(settings), topic_plans(settings)
    made = asyncio.run(create_topics(kafka, plans))
    for plan in plans:
        name = kafka.prefix + plan.name
        typer.echo(f"{name}: {'created' if name in made else 'exists'}")
