"""Bodies that are too long are not read to their end."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Answers 413 as soon as more than the limit was announced or sent."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Request(scope).headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        n_read = 0

        async def receive_some() -> Message:
            nonlocal n_read
            message = await receive()
            n_read += len(message.get("body", b""))
            if n_read > self._max_bytes:
                raise HTTPException(413, self._message)
            return message

        await self._app(scope, receive_some, send)

    @property
    def _message(self) -> str:
        return (
            f"The body has more than {self._max_bytes} bytes, which is the "
            "limit of this service. Send fewer or shorter sequences."
        )

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        response = JSONResponse({"detail": self._message}, 413)
        await response(scope, receive, send)
