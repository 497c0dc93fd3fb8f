"""What `/monitoring/prometheus/metrics` tells."""

from collections.abc import Callable

import prometheus_client

PATH = "/monitoring/prometheus/metrics"
CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
_SECONDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
    *(0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0),
)
_ROWS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one server.

    Attributes:
        requests: Finished requests by `api` and `code`.
        request_seconds: From the last header read to the reply, by `api`.
        graph_seconds: Inside TensorFlow, by `signature`.
        batch_rows: Rows of one run, by `signature`.
        refused: Rows refused because the queue was full.
        version: The highest version served.
        voice_version: The same of the models beside the main one, by `model`.

    Args:
        has_voices: Whether there are any.
    """

    def __init__(self, has_voices: bool = False) -> None:
        registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=registry)
        self._registry = registry
        self.requests = prometheus_client.Counter(
            "visualpoet_requests",
            "Finished requests.",
            ["api", "code"],
            registry=registry,
        )
        self.request_seconds = prometheus_client.Histogram(
            "visualpoet_request_seconds",
            "Seconds of a request.",
            ["api"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.graph_seconds = prometheus_client.Histogram(
            "visualpoet_graph_seconds",
            "Seconds inside TensorFlow of one run.",
            ["signature"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch_rows = prometheus_client.Histogram(
            "visualpoet_batch_rows",
            "Rows of one run.",
            ["signature"],
            buckets=_ROWS,
            registry=registry,
        )
        self.refused = prometheus_client.Counter(
            "visualpoet_refused_rows",
            "Rows refused because the queue was full.",
            registry=registry,
        )
        self.version = prometheus_client.Gauge(
            "visualpoet_version",
            "The highest version served.",
            registry=registry,
        )
        self.voice_version = prometheus_client.Gauge(
            "visualpoet_voice_version",
            "The highest version served of a voice.",
            ["model"],
            registry=registry if has_voices else None,
        )
        self._queue = prometheus_client.Gauge(
            "visualpoet_queue_length",
            "Rows that wait for a run.",
            registry=registry,
        )

    def watch_queue(self, length: Callable[[], int]) -> None:
        """Sets what the length of the queue is read from.

        Args:
            length: Rows that wait.
        """
        self._queue.set_function(length)

    def page(self) -> bytes:
        """Renders the numbers of now.

        Returns:
            Prometheus' text format.
        """
        return prometheus_client.generate_latest(self._registry)
