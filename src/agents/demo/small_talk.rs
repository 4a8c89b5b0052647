//! What the demo model says of itself, and when it has nothing better to say.

/// The note under the first answer of a conversation, where the answer has not said so itself.
pub(super) const NOTE: &str = "\n\n---\n\n*I am Anteroom's built-in demo model: I run offline and know a few topics by their words. For real \
answers, put a real model in my place; ask me how.*";

/// Who I am and what I can do.
pub(super) const HELP: &str = "\
I am the **demo model that is built into Anteroom**. There is no neural network behind me: I look for words that I \
know and answer with what I was given, at the pace of a person who types. That is enough to try out the line, the \
streaming, the Stop button and the looks of the page. I need no key and no network.

Things that I do know:

- **the line**: *how long is the line?*, *how does the queue work?*
- **the settings**: *which settings are there?*, *what does `CHAT_CONCURRENCY_LIMIT` do?*
- **real models**: *how do I connect Ollama?* (or vLLM, llama.cpp, LM Studio, OpenAI, Anthropic, Gemini)
- **the page**: *show me Markdown*, *a code example in Rust*
- **a long answer**, to see what waiting is like: *count to 300*";

const GREETINGS: [&str; 3] = [
    "Hello, and welcome to Anteroom! I am its built-in **demo model**, so don't expect wisdom, but the line in front of me is real.\n\nYou could ask me *how does the queue work?*, *which settings are there?*, or *how do I connect a real model?*",
    "Hi there! You have reached the **demo model** of Anteroom. I answer offline, from a small store of topics.\n\nGood things to try: *show me Markdown*, *how long is the line?*, *count to 100* (and then Stop).",
    "Good to see you! I am the **demo model** that Anteroom brings along until a real one is connected.\n\nAsk *what can you do?* for my repertoire, or *how do I connect Ollama?* to put me out of work.",
];

const THANKS: [&str; 3] = [
    "You are welcome! Even a demo model likes to hear that.",
    "My pleasure. The slot goes to the next in line now.",
    "Gladly. Come back any time; your conversations stay where they are.",
];

const FALLBACKS: [&str; 4] = [
    "That is a fair question for a real model. I am only the **demo model** that comes with Anteroom: I cannot reason about it, and I would rather say so than make something up.",
    "I would love to know that myself. As the built-in **demo model** I have no knowledge of the world, only of this place.",
    "You have asked more than a **demo model** can answer. Your message did arrive whole, it waited its turn, and it came back as a stream of words; the thinking is what a real model would add.",
    "Honestly: no idea. I am the **demo model**, and what I know fits on a postcard about lines, settings and models.",
];

const SUGGESTIONS: [&str; 4] = [
    "What I can tell you: *how long is the line?*, *what does `QUEUE_ORDER` do?*, or *how do I connect a real model?*",
    "Try me with *how does the queue work?*, or put a real model here: *how do I connect Ollama?*",
    "Ask *what can you do?* for my topics. For everything else there are real models: set `MODEL` in `.env`, for example `MODEL=llama3.2@ollama`.",
    "I am good at *show me Markdown* and *a code example in Python*. For the rest, set `MODEL=gpt-4o@openai` and `OPENAI_API_KEY` in `.env`, or ask me about other models.",
];

/// One of several, by a number that differs from message to message.
pub(super) const fn greeting(seed: usize) -> &'static str {
    GREETINGS[seed % GREETINGS.len()]
}

/// Likewise.
pub(super) const fn thanks(seed: usize) -> &'static str {
    THANKS[seed % THANKS.len()]
}

/// For a message that was not understood.
pub(super) fn fallback(message: &str, seed: usize) -> String {
    let quoted = quote(message);
    let (first, then) = (
        FALLBACKS[seed % FALLBACKS.len()],
        SUGGESTIONS[seed / FALLBACKS.len() % SUGGESTIONS.len()],
    );
    format!("{quoted}{first}\n\n{then}")
}

/// The beginning of the message as a quotation, so that it is clear what is being answered.
fn quote(message: &str) -> String {
    const SHOWN: usize = 160;
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return String::new();
    }
    let cut: String = line.chars().take(SHOWN).collect();
    let more = if cut.len() < line.len() { " …" } else { "" };
    // It is the person's text, not Markdown of ours.
    let mut escaped = String::with_capacity(cut.len());
    for c in cut.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    format!("> {escaped}{more}\n\n")
}
