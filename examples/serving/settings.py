"""The limits of the service."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a client may send, and how much the service keeps."""

    # Longest body of a request.
    max_body_bytes: int = 2 * 2**20
    # Sequences in a request, and in one call of the model.
    max_samples: int = 256
    # Time steps of a sequence, and of a request to a stream. A model that
    # needs a certain number of steps says so itself.
    min_steps: int = 1
    max_steps: int = 10_000
    # Requests that wait for the model. Further ones are told to come back.
    max_waiting: int = 128
    # Streams that are open at a time, and seconds without a step after
    # which one is closed.
    max_streams: int = 1000
    stream_expires_after: float = 600.0
