# ruff: noqa: F811
"""A Jupyter server per test, with the extension in it and a recording floor behind its door."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

# Taken one by one: as a plugin they would make every test of the project a Jupyter test.
from pytest_jupyter.jupyter_core import (  # noqa: F401
    echo_kernel_spec,
    jp_config_dir,
    jp_data_dir,
    jp_env_config_path,
    jp_env_jupyter_path,
    jp_environ,
    jp_home_dir,
    jp_kernel_dir,
    jp_runtime_dir,
    jp_system_config_path,
    jp_system_jupyter_path,
)
from pytest_jupyter.jupyter_server import (  # noqa: F401
    jp_argv,
    jp_auth_header,
    jp_base_url,
    jp_configurable_serverapp,
    jp_extension_environ,
    jp_http_port,
    jp_logging_stream,
    jp_nbconvert_templates,
    jp_root_dir,
    jp_serverapp,
    jp_template_dir,
    jp_web_app,
)
from pytest_jupyter.pytest_tornasync import http_server, http_server_port  # noqa: F401
from traitlets.config import Config

from jupyter_fpga.app import JupyterFpga


@pytest.fixture
async def jp_asyncio_loop() -> asyncio.AbstractEventLoop:
    """The loop that the test itself runs in."""
    return asyncio.get_running_loop()


@pytest.fixture
def jp_server_config() -> Config:
    return Config(
        {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_fpga": True, "jupyter_server_terminals": False},
                "allow_unauthenticated_access": False,
            }
        }
    )


@pytest.fixture
def extension(jp_serverapp: Any) -> JupyterFpga:
    return jp_serverapp.extension_manager.extension_points["jupyter_fpga"].app


@pytest.fixture(autouse=True)
def open_door(extension: JupyterFpga, door: Any) -> None:
    """Put the recording floor behind every handler of the server."""
    for rule in extension.serverapp.web_app.default_router.rules:
        for inner in getattr(rule.target, "rules", ()):
            if "door" in (inner.target_kwargs or {}):
                inner.target_kwargs["door"] = door


@pytest.fixture
async def server(
    jp_serverapp: Any, http_server: Any, jp_http_port: int, jp_base_url: str, new_client: Any
) -> AsyncIterator[Any]:
    """A client of the API inside the server, with the server's token as its key."""
    client = new_client(
        f"http://127.0.0.1:{jp_http_port}{jp_base_url}jupyter-fpga", jp_serverapp.identity_provider.token
    )
    yield client
    await client.close()
    await jp_serverapp._cleanup()
    jp_serverapp.kernel_manager.context.destroy()
    type(jp_serverapp).clear_instance()
