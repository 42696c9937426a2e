"""What the server answers: our own routes in the place of MONAI Label's, which answer wrong requests with 500."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from monailabel.config import settings
from starlette.routing import Mount

from ..discretion import LIBRARIES
from ..transforms import ImageReadError
from .door import Door
from .monai_label_routes import monai_label_routes
from .page_routes import page_routes
from .request_error import RequestError
from .store_routes import store_routes

if TYPE_CHECKING:
    from .app import MedMambaLabelApp

__all__ = ["build_server", "take_over"]

logger = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"


def take_over(label: MedMambaLabelApp) -> None:
    """Puts our server in the place of MONAI Label's routes, if MONAI Label's server runs in this process.

    MONAI Label loads an application after its own server has begun to start. Its FastAPI object stays, with ours
    mounted at the root; the middleware, which lets every page of the web read from the server, is built anew.

    Args:
        label: The application.
    """
    stock: Any = getattr(sys.modules.get("monailabel.app"), "app", None)
    if stock is None:
        return
    for library in LIBRARIES:  # what they warn of, they quote, and it may be a patient's
        warnings.filterwarnings("ignore", module=rf"{library}\b")
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    stock.user_middleware.clear()
    stock.router.routes[:] = [Mount(settings.MONAI_LABEL_API_STR or "", app=build_server(label))]
    stock.middleware_stack = None  # is built again at the first request
    logger.info("the reading page is at %s/medmamba/", settings.MONAI_LABEL_API_STR)


def build_server(label: MedMambaLabelApp) -> FastAPI:
    """Returns the application as a FastAPI server.

    Args:
        label: What answers.

    Returns:
        The routes of MONAI Label that make sense for classification, and the reading page at ``/medmamba/``.
    """
    server = FastAPI(
        title=label.name, description=label.description, version=label.version, docs_url=None, redoc_url=None
    )
    for router in (monai_label_routes(label), store_routes(label), page_routes(label)):
        server.include_router(router)

    @server.get("/", include_in_schema=False)
    @server.get("/medmamba", include_in_schema=False)
    def front() -> RedirectResponse:
        return RedirectResponse(f"{settings.MONAI_LABEL_API_STR}/medmamba/")

    server.mount("/medmamba", StaticFiles(directory=PAGE, html=True), name="page")

    @server.exception_handler(RequestError)
    def refuse(request: Request, error: RequestError) -> JSONResponse:
        del request
        return JSONResponse({"detail": str(error)}, error.status)

    @server.exception_handler(ImageReadError)
    def unreadable(request: Request, error: ImageReadError) -> JSONResponse:
        del request
        return JSONResponse({"detail": f"the image cannot be read: {error.found}. {error.cure}."}, 422)

    origins = [str(origin).rstrip("/") for origin in settings.MONAI_LABEL_CORS_ORIGINS]
    if origins:
        server.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"])
    server.add_middleware(Door, origins=origins)
    return server
