"""The Log port on Apache Kafka."""

from transport.kafka.log import KafkaLog, kafka_log
from transport.kafka.settings import KafkaSettings, parse_address
from transport.kafka.topics import TopicPlan, check_topics, create_topics

__all__ = ["KafkaLog", "KafkaSettings", "TopicPlan", "check_topics", "create_topics", "kafka_log", "parse_address"]
