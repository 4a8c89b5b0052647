"""Libraries that speak OpenAI's API by its client, against Anteroom. Each function is a test; the one that is named runs, and fails by an exception."""

import os
import sys

BASE = os.environ["BASE_URL"]
MODEL = "loopback@openai"
# Nothing is asked of the network.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"


def gradio_chat():
    """Gradio's chat interface, whose function streams from Anteroom, asked as its page asks."""
    import gradio
    import gradio_client
    import openai

    client = openai.OpenAI(base_url=BASE, api_key="unused")

    def answer(message, history):
        said = [{"role": turn["role"], "content": turn["content"]} for turn in history]
        said.append({"role": "user", "content": message})
        text = ""
        for chunk in client.chat.completions.create(model=MODEL, messages=said, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                text += chunk.choices[0].delta.content
                yield text

    page = gradio.ChatInterface(answer, api_name="chat")
    options = {"prevent_thread_lock": True, "quiet": True, "share": False, "ssr_mode": False}
    _, url, _ = page.launch(server_name="127.0.0.1", **options)
    try:
        browser = gradio_client.Client(url, verbose=False)
        asked = browser.submit("Hello [[tokens=3]]", api_name="/chat")
        assert asked.result(timeout=60) == "Answer to: Hello\n\nword1 word2 ", asked.result()
        assert len(asked.outputs()) > 1, "it comes piece by piece"
        # The second message brings the first one and its answer along.
        again = browser.predict("[[reply=request]]", api_name="/chat")
        assert again.count('"role"') == 3 and "word1" in again, again
    finally:
        page.close()


def langchain_chat():
    """LangChain's chat model, by both of OpenAI's APIs."""
    from langchain_core.messages import HumanMessage, ToolMessage
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    @tool
    def look_up(question: str) -> str:
        """Looks something up."""
        return "rain"

    for responses in (False, True):
        chat = ChatOpenAI(base_url=BASE, api_key="unused", model=MODEL, use_responses_api=responses, stream_usage=True)
        answer = chat.invoke("Hello [[tokens=3]]")
        assert answer.text == "Answer to: Hello\n\nword1 word2 ", answer
        assert answer.usage_metadata["output_tokens"] == 3, answer
        pieces = list(chat.stream("Hello [[tokens=3]]"))
        assert "".join(piece.text for piece in pieces) == answer.text and len(pieces) > 2, pieces
        asked = HumanMessage("[[reply=tool]] rain?")
        with_tool = chat.bind_tools([look_up])
        called = with_tool.invoke([asked])
        whole = None
        for piece in with_tool.stream([asked]):
            whole = piece if whole is None else whole + piece
        for message in (called, whole):
            assert [(call["name"], call["args"]) for call in message.tool_calls] == [
                ("look_up", {"question": "rain?"})
            ], message
        told = ToolMessage("rain", tool_call_id=called.tool_calls[0]["id"])
        answer = with_tool.invoke([HumanMessage("Rain?"), called, told, HumanMessage("So? [[reply=request]]")])
        assert '"tool_call_id"' in answer.text and called.tool_calls[0]["id"] in answer.text, answer


globals()[sys.argv[1]]()
