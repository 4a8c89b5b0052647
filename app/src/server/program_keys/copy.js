// The button that copies a text of the page. Without scripts it is not there, and a press on the text selects all of it.
for (const button of document.querySelectorAll("[data-copies]")) {
  const text = document.getElementById(button.dataset.copies);
  const said = document.getElementById(button.dataset.says);
  button.hidden = false;
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(text);
    let copied = true;
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      // Where a page has come over plain HTTP, browsers know no clipboard.
      copied = document.execCommand("copy");
    }
    said.textContent = copied ? said.dataset.done : said.dataset.failed;
  });
}
