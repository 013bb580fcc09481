"""What a client is told when it gets no answer."""


class RequestError(Exception):
    """Its text goes to the client, with this status."""

    status = 422


class RefusedRequest(RequestError):
    """The model can't read what was sent."""


class UnknownStream(RequestError):
    """There is no stream of this name, or no longer."""

    status = 404


class WrongPosition(RequestError):
    """A step was sent twice, or one before it did not arrive."""

    status = 409


class Busy(RequestError):
    """The service is at one of its limits: come back later."""

    status = 503


def for_client(error: Exception) -> Exception:
    """What a model says of its input goes to the client.

    A UserWarning is raised where it was made an error, as those of values
    far outside of training can be.
    """
    if isinstance(error, ValueError | UserWarning):
        return RefusedRequest(str(error))
    return error
