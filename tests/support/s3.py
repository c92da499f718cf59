# SPDX-License-Identifier: Apache-2.0
"""A real S3 server on loopback, moto's, and the environment in which boto3 finds it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

with warnings.catch_warnings():
    # moto's own dependencies are not the project's to mend.
    warnings.simplefilter("ignore", DeprecationWarning)
    from moto.server import ThreadedMotoServer


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """Run the server; yield the environment variables that lead boto3 to it."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        # moto keeps its buckets in this process: the next server begins without them.
        httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
        server.stop()
