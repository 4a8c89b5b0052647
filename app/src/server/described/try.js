// Sends what is in a form of the page, and shows what comes back, as it comes.
"use strict";

const key = document.getElementById("key");

function requestOf(form) {
  let path = form.dataset.path;
  const headers = {};
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("[data-in]")) {
    if (input.value === "") continue;
    if (input.dataset.in === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    if (input.dataset.in === "query") query.set(input.name, input.value);
    if (input.dataset.in === "header") headers[input.name] = input.value;
  }
  if (key.value) headers.Authorization = `Bearer ${key.value}`;
  const body = form.elements.body?.value;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const address = query.size ? `${path}?${query}` : path;
  return [address, { method: form.dataset.method, headers, body, credentials: "omit" }];
}

async function send(form, signal) {
  const shown = form.querySelector("pre");
  shown.hidden = false;
  shown.textContent = "…";
  try {
    const [address, options] = requestOf(form);
    const response = await fetch(address, { ...options, signal });
    shown.textContent = `${response.status} ${response.statusText}\n\n`;
    const text = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await text?.read(); read && !read.done; read = await text.read()) {
      shown.textContent += read.value;
    }
  } catch (fault) {
    shown.textContent += `\n${fault.message}`;
  }
}

for (const form of document.querySelectorAll("form")) {
  const stop = form.querySelector("[data-stop]");
  let going;
  stop.addEventListener("click", () => going?.abort());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    going?.abort();
    const own = (going = new AbortController());
    stop.hidden = false;
    await send(form, own.signal);
    if (going === own) stop.hidden = true;
  });
}
