// What servers of tools have for people, as `app/src/server/sources/` draws it: `reading.js` loads this when it is wanted first. A resource goes
// into the composer as any file does, and the text of a prompt stands there to be edited.
const doc = document;

export function start({ within, byId, aid, ask }) {
  /** What is said where nothing came through, in the page's language. */
  const lost = () => byId("aids").content.querySelector("[data-aid=failed]").textContent;
  /** What the server has answered; a refusal is a sentence of its own. */
  const refused = async (answer) => {
    const plain = (answer.headers.get("content-type") || "").startsWith("text/plain");
    return plain ? answer.text() : lost();
  };

  let asks = 0;
  const load = async (source) => {
    const list = source.querySelector("[data-list]");
    const { kind, source: server } = source.dataset;
    const asked = (source.dataset.asked = String(++asks));
    let html = "", said = "";
    try {
      const answer = await ask("/sources/" + kind, new URLSearchParams({ server }));
      if (answer.ok) html = await answer.text();
      else said = await refused(answer);
    } catch {
      said = lost();
    }
    // Folded and unfolded again meanwhile.
    if (source.dataset.asked !== asked) return;
    list.innerHTML = html;
    if (said) {
      const sentence = doc.createElement("p");
      sentence.className = "source-said";
      sentence.setAttribute("role", "alert");
      sentence.textContent = said;
      list.append(sentence);
    }
  };

  const attached = (file) => {
    const input = doc.querySelector(".composer input[type=file]");
    const files = new DataTransfer();
    files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const inserted = (text) => {
    const message = byId("message");
    const before = message.value.trimEnd();
    message.value = (before ? before + "\n\n" : "") + text;
    message.dispatchEvent(new Event("input", { bubbles: true }));
  };
  /** Has what a form stands for put into the message, and goes there. */
  const take = async (form) => {
    if (form.dataset.asked) return;
    form.dataset.asked = "yes";
    const source = within(form, ".tool-source"), sheet = within(form, "dialog");
    const said = form.querySelector(".source-said");
    const body = new URLSearchParams(new FormData(form));
    body.set("server", source.dataset.source);
    said.textContent = said.dataset.waits;
    let sentence = "";
    try {
      const isPrompt = source.dataset.kind === "prompts";
      const answer = await ask(isPrompt ? "/sources/prompt" : "/sources/resource", body);
      if (!answer.ok) sentence = await refused(answer);
      else {
        const given = isPrompt ? await answer.text() : await answer.blob();
        // Closed, it is not wanted any more.
        if (sheet.open) {
          if (isPrompt) inserted(given);
          else attached(new File([given], decodeURIComponent(answer.headers.get("x-file-name"))));
          sheet.close();
          const message = byId("message");
          message.focus();
          message.setSelectionRange(message.value.length, message.value.length);
          message.scrollTop = message.scrollHeight;
        }
      }
    } catch {
      sentence = lost();
    }
    said.textContent = sentence;
    delete form.dataset.asked;
  };
  doc.addEventListener("submit", (event) => {
    if (!event.target.matches(".tool-source form")) return;
    event.preventDefault();
    take(event.target);
  });

  const attach = (pick) => {
    const sheet = aid("dialog.sources");
    if (sheet.open) return;
    sheet.querySelector("[data-device]").onclick = () => {
      sheet.close();
      pick();
    };
    sheet.showModal();
  };
  return { load, attach };
}
