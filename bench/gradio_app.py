"""The chat that Anteroom is measured against: Gradio's own chat interface in front of the same model server.

Usage: gradio_app.py MODEL_BASE_URL SLOTS. Prints its address once it serves.
"""

import json
import sys

import gradio as gr
import httpx

base_url, slots = sys.argv[1], int(sys.argv[2])
client = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None))


async def answer(message, history):
    """Streams the model's answer to one message."""
    messages = [{"role": turn["role"], "content": turn["content"]} for turn in history]
    body = {"model": "loopback", "stream": True, "messages": [*messages, {"role": "user", "content": message}]}
    text = ""
    async with client.stream("POST", f"{base_url}/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            for choice in json.loads(line[6:])["choices"]:
                if piece := choice["delta"].get("content"):
                    text += piece
                    yield text


async def nothing():
    """An event without work."""


with gr.Blocks() as demo:
    gr.ChatInterface(answer, concurrency_limit=slots, api_name="chat")
    gr.Button("Nothing").click(nothing, concurrency_limit=slots, api_name="nothing")

# No bound on the line, as in Anteroom's default.
demo.queue(max_size=None)
app, url, _ = demo.launch(server_name="127.0.0.1", quiet=True, prevent_thread_lock=True, share=False, ssr_mode=False)
print(f"listening on {url}", flush=True)
demo.block_thread()
