"""Drives a lab with the peer's unmodified client, in a process of its own; prints what it saw as JSON.

``session.py TRANSPORT DESIGN`` with ``MRG_API_KEY`` and ``LAB_URL`` in the environment.
"""

import json
import os
import sys

import manhattan_reasoning_gym as gym
from manhattan_reasoning_gym import _client

transport, design = sys.argv[1:]
url, key = os.environ["LAB_URL"], os.environ["MRG_API_KEY"]
app = gym.App("peer", design=design, api_url=url, transport=transport, poll_timeout=120)
words = [0xDEADBEEF, 1, 0xFFFFFFFF, 0x12345678]
app.write(0, words)
seen = {"fpga_id": app.fpga_id, "first": app.read(0), "four": app.read(0, 4), "writes": app.read(60)}
app.write(8, [7, 8, 9], fixed_address=True)
seen |= {"fixed": app.read(0, 4), "writes_after": app.read(60)}
seen["session"] = sorted(_client.get_session(app.fpga_id, key, url))
seen["board"] = _client.get_fpga(app.fpga_id, key, url)["state"]
seen["complete"] = {job["type"] for job in _client.list_jobs(key, url, "complete")} >= {"build_and_program"}
job = app.release()
seen["reset"] = _client.poll_job(job, key, url, timeout=60)["status"]
print(json.dumps(seen))
