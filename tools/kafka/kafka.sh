#!/bin/sh
# Runs one Apache Kafka broker (KRaft) from its Maven artifacts in the foreground, without Docker and without root.
# Needs a JDK 17+ and Maven. For development and tests: one node, no replicas, and it listens on loopback only.
#   kafka.sh install        fetch the jars only
#   kafka.sh run            format the data directory if it is new, then run until a signal
# KAFKA_VERSION, KAFKA_DIR (jars), KAFKA_DATA (data, configuration), KAFKA_PORT, KAFKA_CONTROLLER_PORT
# KAFKA_LISTENERS, KAFKA_ADVERTISED  instead of PLAINTEXT on KAFKA_PORT; names: PLAINTEXT, PROXIED (plain too), SSL,
#                                    SASL_PLAINTEXT, SASL_SSL
# KAFKA_PROPERTIES                   a file with additional properties
# KAFKA_FORMAT                       additional arguments of the storage tool, such as --add-scram
set -eu
version=${KAFKA_VERSION:-4.3.1}
home=${KAFKA_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/livecaptions/kafka-$version}
data=${KAFKA_DATA:-$home/data}
port=${KAFKA_PORT:-9092}
controller=${KAFKA_CONTROLLER_PORT:-$((port + 1))}
listeners=${KAFKA_LISTENERS:-PLAINTEXT://127.0.0.1:$port}
advertised=${KAFKA_ADVERTISED:-$listeners}

install() {
  [ -e "$home/libs/.complete" ] && return
  mkdir -p "$home"
  cat > "$home/pom.xml" <<X
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka-run</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.2</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.25.2</version></dependency>
</dependencies></project>
X
  mvn -q -B -f "$home/pom.xml" dependency:copy-dependencies -DoutputDirectory=libs -DincludeScope=runtime
  touch "$home/libs/.complete"
}

java_kafka() {
  exec java -Xms128m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true \
    -Dlog4j2.configurationFile="$data/log4j2.properties" -cp "$home/libs/*" "$@"
}

install
[ "${1:-run}" = install ] && exit 0
mkdir -p "$data"
cat > "$data/log4j2.properties" <<X
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss} %p %c{1} %m%n
X
cat > "$data/server.properties" <<X
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=$listeners,CONTROLLER://127.0.0.1:$controller
advertised.listeners=$advertised
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
controller.listener.names=CONTROLLER
inter.broker.listener.name=${listeners%%:*}
log.dirs=$data/log
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=2097152
auto.create.topics.enable=false
X
[ -z "${KAFKA_PROPERTIES:-}" ] || cat "$KAFKA_PROPERTIES" >> "$data/server.properties"
[ -e "$data/log/meta.properties" ] ||
  (java_kafka kafka.tools.StorageTool format --cluster-id "C$(head -c 30 /dev/urandom | base64 | tr -d '+/=\n' | cut -c1-21)" \
    --config "$data/server.properties" ${KAFKA_FORMAT:-} >/dev/null)
java_kafka kafka.Kafka "$data/server.properties"
