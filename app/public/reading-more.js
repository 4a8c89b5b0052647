// What a reader does now and then: `reading.js` loads this when it is wanted first, and hands over what both use.
const doc = document;

export function start({ within, byId, aid, tools, ask, failed }) {
  // Earlier turns, part by part; each part brings the next question, until there are no more or too many.
  var asks = 0;
  var earlier = function (log) {
    var more = log.querySelector(".rest button");
    if (more && asks++ < 400) more.click();
  };
  // On paper goes the whole conversation, also what was not here yet.
  var printWhole = function (log) {
    asks = 0;
    var parts = new MutationObserver(function () {
      if (log.querySelector(".rest")) return earlier(log);
      parts.disconnect();
      requestAnimationFrame(function () {
        print();
      });
    });
    parts.observe(log, { childList: true, subtree: true });
    earlier(log);
  };

  // To where something was found, and there it is marked.
  var hunt = null;
  var mark = function (turn, text) {
    if (!window.CSS || !CSS.highlights || !text) return null;
    var needle = text.toLowerCase();
    var walker = doc.createTreeWalker(turn, NodeFilter.SHOW_TEXT);
    var found = [];
    for (var node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!within(node.parentElement, ".message-text, .answer")) continue;
      var words = node.data.toLowerCase();
      if (words.length !== node.data.length) continue;
      for (var at = words.indexOf(needle); at >= 0; at = words.indexOf(needle, at + needle.length)) {
        var range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + needle.length);
        found.push(range);
      }
    }
    CSS.highlights.set("found", new (Function.prototype.bind.apply(Highlight, [null].concat(found)))());
    return found[0] || null;
  };
  var seek = function () {
    if (!hunt) return;
    var log = byId("log");
    if (!log || location.pathname !== hunt.path) return;
    // Found in the title, it is marked wherever it is.
    var turns = hunt.turn ? "[data-turn='" + hunt.turn + "']" : "[data-turn]";
    var turn = log.querySelector(turns);
    if (!turn) {
      // Further up, or in a version that is not shown.
      if (hunt.turn && log.querySelector(".rest")) earlier(log);
      else if (hunt.turn && !hunt.asked && log.querySelector("[data-turn]")) {
        hunt.asked = true;
        ask("/api/version", "turn=" + hunt.turn);
      }
      return;
    }
    var text = hunt.text, where = hunt.turn ? turn : log;
    hunt = null;
    watch.disconnect();
    requestAnimationFrame(function () {
      var first = mark(where, text);
      if (where === log) {
        if (!first) return;
        turn = within(first.startContainer.parentElement, "[data-turn]") || turn;
      }
      var folded = first && within(first.startContainer.parentElement, ".code.long:not(.unfolded)");
      if (folded) tools.more(folded.querySelector("[data-tool=more]"), folded);
      turn.tabIndex = -1;
      turn.focus({ preventScroll: true });
      // The page follows its end for as long as it has not heard that somebody has scrolled up.
      var frames = 4;
      var there = function () {
        var place = (first || turn).getBoundingClientRect();
        var frame = log.getBoundingClientRect();
        log.scrollTop += place.top - frame.top - frame.height / 3;
        if (--frames) requestAnimationFrame(there);
      };
      there();
    });
  };
  var watch = new MutationObserver(seek);
  var go = function (hit) {
    if (window.CSS && CSS.highlights) CSS.highlights.delete("found");
    hunt = { turn: hit.dataset.turn, text: hit.dataset.text, path: new URL(hit.href).pathname };
    watch.disconnect();
    asks = 0;
    watch.observe(byId("content") || doc.body, { childList: true, subtree: true });
    setTimeout(seek, 0);
    // What has not come by then was removed meanwhile.
    var mine = hunt;
    setTimeout(function () {
      if (hunt === mine) {
        hunt = null;
        watch.disconnect();
      }
    }, 15000);
  };

  // Prompts: the operator's, and one's own, which are this browser's.
  var own = function () {
    try {
      var all = JSON.parse(localStorage.getItem("prompts"));
      return Array.isArray(all) ? all.filter(function (one) { return typeof one === "string"; }) : [];
    } catch (e) {
      return [];
    }
  };
  var keep = function (all) {
    try {
      localStorage.setItem("prompts", JSON.stringify(all.slice(-100)));
    } catch (e) {
      failed();
    }
    listOwn(doc.querySelector("dialog.prompts"));
  };
  var listOwn = function (sheet) {
    sheet.querySelectorAll(".prompt.own").forEach(function (row) {
      row.remove();
    });
    own().forEach(function (text, at) {
      var row = doc.importNode(sheet.querySelector("[data-own]").content.firstElementChild, true);
      row.classList.add("own");
      var use = row.querySelector("[data-prompt]"), drop = row.querySelector("[data-drop]");
      use.dataset.prompt = text;
      use.textContent = text.split("\n")[0].slice(0, 80);
      drop.dataset.drop = at;
      drop.setAttribute("aria-label", drop.textContent + ": " + use.textContent);
      sheet.querySelector("[data-prompts]").append(row);
    });
    sheet.querySelector("[data-none]").hidden = !!sheet.querySelector(".prompt");
    sheet.querySelector("[data-keep]").disabled = !byId("message").value.trim();
  };
  var prompts = function () {
    var sheet = aid("dialog.prompts");
    if (!sheet || sheet.open) return;
    listOwn(sheet);
    sheet.showModal();
  };
  var insert = function (text) {
    var message = byId("message");
    var before = message.value.replace(/\s+$/, "");
    message.value = (before ? before + "\n\n" : "") + text;
    message.dispatchEvent(new Event("input", { bubbles: true }));
    doc.querySelector("dialog.prompts").close();
    message.focus();
    message.setSelectionRange(message.value.length, message.value.length);
  };

  // A conversation that was saved as a file.
  const take = (input) => {
    const said = byId(input.dataset.import);
    said.hidden = true;
    ask("/import", input.files[0])
      .then((answer) => {
        if (!answer.ok) throw answer.status;
        return answer.json();
      })
      .then(
        (made) => location.assign("/c/" + made.conversation),
        () => {
          input.value = "";
          said.hidden = false;
        }
      );
  };

  // Several conversations at once: each row becomes a box to tick, and a bar says what can be done with them.
  var list = function () {
    return doc.querySelector(".conversations.selecting");
  };
  var ticked = [];
  var count = function () {
    var all = list();
    ticked = all ? Array.from(all.querySelectorAll(".conversation[aria-checked=true]")) : [];
    var bar = doc.querySelector(".several");
    if (!bar) return;
    bar.querySelector("[data-count]").textContent = ticked.length;
    bar.querySelector("[data-several=delete]").disabled = !ticked.length;
    bar.querySelectorAll("[data-what]").forEach(function (button) {
      var all = !!ticked.length && ticked.every(is[button.dataset.what]);
      button.hidden = all !== (button.dataset.to === "false");
      button.disabled = !ticked.length;
    });
  };
  var is = {
    pinned: function (row) {
      return "pinned" in row.dataset;
    },
    archived: function (row) {
      return !!within(row, ".archived");
    },
  };
  var boxes = function (nav, on) {
    nav.classList.toggle("selecting", on);
    nav.querySelectorAll(".conversation[href^='/c/']").forEach(function (row) {
      if (on) {
        // One that has come since is new, and not chosen.
        row.setAttribute("role", "checkbox");
        if (!row.hasAttribute("aria-checked")) row.setAttribute("aria-checked", "false");
      } else {
        row.removeAttribute("role");
        row.removeAttribute("aria-checked");
      }
    });
  };
  var come = new MutationObserver(function () {
    var nav = list();
    if (!nav) return come.disconnect();
    boxes(nav, true);
    count();
  });
  var gone = [], back = null;
  var chosen = function (rows) {
    return rows.map(function (row) {
      return row.pathname.split("/")[2];
    });
  };
  var remove = function (id) {
    return ["/api/delete", "conversation=" + id];
  };
  var restore = function (id) {
    return ["/api/undelete", "conversation=" + id];
  };
  var shelve = function (what, to) {
    return function (id) {
      return ["/shelf/" + id + "/" + what + "/" + to];
    };
  };
  var several = {
    begin: function (button) {
      var nav = within(button, ".conversations");
      var aids = byId("aids");
      if (!nav || !aids || list()) return;
      nav.after(doc.importNode(aids.content.querySelector(".several"), true));
      boxes(nav, true);
      come.observe(nav, { childList: true, subtree: true });
      var row = within(button, "li").querySelector(".conversation");
      row.setAttribute("aria-checked", "true");
      row.focus();
      count();
    },
    done: function () {
      var nav = list();
      if (nav) boxes(nav, false);
      var bar = doc.querySelector(".several");
      if (bar) bar.remove();
      var again = doc.querySelector(".conversation[href]") || byId("new-chat");
      if (again) again.focus();
    },
    delete: function () {
      gone = chosen(ticked);
      if (gone.indexOf(location.pathname.split("/")[2]) >= 0) byId("new-chat").click();
      each(remove, restore);
    },
    shelve: function (button) {
      var data = button.dataset;
      gone = chosen(
        ticked.filter(function (row) {
          return is[data.what](row) !== (data.to === "true");
        })
      );
      // What is pinned is in sight; what is archived may have to be brought back.
      each(shelve(data.what, data.to), data.what + data.to === "archivedtrue" && shelve("archived", "false"));
    },
    undo: function () {
      each(back);
    },
  };
  var each = function (request, undoing) {
    var bar = doc.querySelector(".several");
    Promise.all(
      gone.map(function (id) {
        return ask.apply(null, request(id)).then(function (answer) {
          if (!answer.ok) throw answer.status;
        });
      })
    ).then(
      function () {
        var undo = bar.querySelector("[data-several=undo]");
        back = undoing;
        undo.hidden = !back;
        count();
        (undo.hidden ? bar.querySelector("[data-several=done]") : undo).focus();
      },
      function () {
        failed();
        count();
      }
    );
  };
  doc.addEventListener(
    "click",
    function (event) {
      var row = list() && within(event.target, ".selecting .conversation[href^='/c/']");
      if (!row) return;
      event.preventDefault();
      event.stopPropagation();
      row.setAttribute("role", "checkbox");
      row.setAttribute("aria-checked", String(row.getAttribute("aria-checked") !== "true"));
      count();
    },
    true
  );

  doc.addEventListener("click", function (event) {
    var button = within(event.target, "button");
    if (!button) return;
    var data = button.dataset;
    if (data.prompt) insert(data.prompt);
    else if (button.matches("[data-keep]")) keep(own().concat(byId("message").value.trim()));
    else if (data.drop)
      keep(
        own().filter(function (one, at) {
          return at !== Number(data.drop);
        })
      );
    else if (data.several) several[data.several](button);
  });
  doc.addEventListener("keydown", function (event) {
    if (event.key === " " && within(event.target, ".selecting .conversation")) {
      event.preventDefault();
      event.target.click();
    } else if (event.key === "Escape" && list() && !doc.querySelector("dialog[open]")) several.done();
  });

  return { printWhole: printWhole, find: go, prompts: prompts, take: take, several: several.begin };
}
