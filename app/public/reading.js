// What a reader does with text that is there: nothing of it needs the WebAssembly, so it is here and small. All words come from
// the page, which has them in its language: on buttons, and in the template `aids`.
(function () {
  "use strict";
  var doc = document;
  var within = function (target, selector) {
    return target && target.closest ? target.closest(selector) : null;
  };
  var byId = function (id) {
    return doc.getElementById(id);
  };
  var aid = function (selector) {
    var there = doc.body.querySelector(selector);
    var aids = byId("aids");
    if (!there && aids) {
      there = doc.importNode(aids.content.querySelector(selector), true);
      doc.body.append(there);
    }
    return there;
  };
  var typing = function (target) {
    return within(target, "input, textarea, select, [contenteditable]");
  };
  var show = function (element) {
    element.scrollIntoView({ block: "nearest" });
    element.focus();
  };

  // Code: its lines wrapped, all of them, as a file.
  var tools = {
    wrap: function (button, code) {
      var wrapped = code.classList.toggle("wrapped");
      button.setAttribute("aria-pressed", String(wrapped));
    },
    more: function (button, code) {
      var open = code.classList.toggle("unfolded");
      button.setAttribute("aria-expanded", String(open));
      if (!open) code.scrollIntoView({ block: "nearest" });
    },
    save: function (button, code) {
      var link = doc.createElement("a");
      var text = new Blob([code.querySelector("pre").textContent], { type: "text/plain" });
      link.href = URL.createObjectURL(text);
      link.download = button.dataset.name;
      link.click();
      setTimeout(function () {
        URL.revokeObjectURL(link.href);
      }, 1000);
    },
  };

  // A footnote's mark leads to what it says, and that back: within the same answer.
  var note = function (button) {
    var answer = within(button, ".answer");
    var number = button.dataset.note || button.dataset.noteBack;
    var other = button.dataset.note ? "[data-note-back='" : "[data-note='";
    var target = answer && answer.querySelector(other + number + "']");
    if (target) show(target);
  };

  // What is selected, as a quote in the composer.
  var selected = function () {
    var selection = getSelection();
    var node = selection.rangeCount && !selection.isCollapsed && selection.getRangeAt(0).commonAncestorContainer;
    var element = node && (node.nodeType === 1 ? node : node.parentElement);
    var text = within(element, ".log") && !within(element, ".editor") ? selection.toString().trim() : "";
    return text && byId("message") ? { text: text, range: selection.getRangeAt(0) } : null;
  };
  var hide = function () {
    var button = doc.body.querySelector(".quote-button");
    if (button) button.remove();
  };
  var offer = function () {
    var chosen = selected();
    hide();
    if (!chosen) return;
    var button = aid(".quote-button");
    var places = chosen.range.getClientRects();
    var place = places[places.length - 1] || chosen.range.getBoundingClientRect();
    if (!button || !place) return;
    var top = place.bottom + 6;
    if (top + button.offsetHeight > innerHeight) top = place.top - button.offsetHeight - 6;
    button.style.top = Math.max(4, top) + "px";
    button.style.left = Math.max(4, Math.min(place.right, innerWidth - button.offsetWidth - 4)) + "px";
  };
  var quote = function () {
    var chosen = selected();
    if (!chosen) return false;
    var message = byId("message");
    var before = message.value.replace(/\s+$/, "");
    var lines = chosen.text.split("\n").map(function (line) {
      return ("> " + line).trimEnd();
    });
    message.value = (before ? before + "\n\n" : "") + lines.join("\n") + "\n\n";
    message.dispatchEvent(new Event("input", { bubbles: true }));
    getSelection().removeAllRanges();
    hide();
    message.focus();
    message.setSelectionRange(message.value.length, message.value.length);
    message.scrollTop = message.scrollHeight;
    return true;
  };

  // What is rarely wanted comes when it is.
  var parts = {}, misses = 0;
  var from = function (file, what, argument, missed) {
    parts[file] =
      parts[file] ||
      // What has failed to come once does not come again by the same address.
      import(misses ? file + "?" + misses : file).then(function (module) {
        return module.start({ within: within, byId: byId, aid: aid, tools: tools, ask: ask, failed: failed });
      });
    parts[file].then(
      function (all) {
        all[what](argument);
      },
      function () {
        misses++;
        delete parts[file];
        failed();
        if (missed) missed();
      }
    );
  };
  var more = function (what, argument) {
    from("/reading-more.js", what, argument);
  };
  // Files come from this device, and from servers of tools where there are some.
  var attach = function (button) {
    var pick = function () {
      within(button, "form").querySelector("input[type=file]").click();
    };
    var aids = byId("aids");
    if (aids && aids.content.querySelector(".sources")) from("/sources.js", "attach", pick, pick);
    else pick();
  };
  // The page has been brought what the server has drawn.
  var again = 0;
  var draw = function (place) {
    clearTimeout(again);
    from("/tabs.js", "draw", place, function () {
      again = setTimeout(draw, 3000, place);
    });
  };
  doc.addEventListener(
    "drawn",
    function (event) {
      draw(event.target);
    },
    true
  );
  doc.addEventListener("change", function (event) {
    var input = within(event.target, "[data-import]");
    if (input && input.files[0]) more("take", input);
  });

  // A text that grows: what is there already stays, or all of it would be laid out again for each word, and what is selected in it, or how
  // its reader has folded it, would be gone.
  var reader = /^aria-(pressed|expanded)$/;
  var adorn = function (there, node) {
    ["wrapped", "unfolded"].forEach(function (chosen) {
      if (there.classList.contains(chosen)) node.classList.add(chosen);
    });
    Array.from(there.attributes).forEach(function (old) {
      if (!node.hasAttribute(old.name)) there.removeAttribute(old.name);
    });
    Array.from(node.attributes).forEach(function (now) {
      var known = there.getAttribute(now.name);
      if (known !== now.value && (known === null || !reader.test(now.name))) there.setAttribute(now.name, now.value);
    });
  };
  // `there` is the first that may differ.
  var grow = function (place, made, there) {
    while (made.firstChild || there) {
      var node = made.firstChild;
      var after = there && there.nextSibling;
      if (!node) there.remove();
      else if (!there) place.append(node);
      else if (node.nodeName !== there.nodeName) there.replaceWith(node);
      else {
        if (node.nodeType === 3) {
          if (node.data.startsWith(there.data)) there.appendData(node.data.slice(there.data.length));
          else there.data = node.data;
        } else if (!node.isEqualNode(there)) {
          adorn(there, node);
          grow(there, node, there.firstChild);
        }
        node.remove();
      }
      there = after;
    }
  };
  // As a rule a text goes on where it has ended, or begins another row of the same: then that alone is parsed and compared, however long the rest
  // is. Where it is, its two states tell, in which `<` and `>` are those of tags: the server has escaped all others, in attributes too.
  var single = /^<(br|hr|input)\b/;
  var tags = function (html, opened, closed) {
    html.replace(/<(\/?)[^>]*>/g, function (tag, close, at) {
      if (close) closed(at);
      else opened(!single.test(tag));
    });
  };
  var whole = function (html) {
    var depth = 0, fits = true;
    tags(
      html,
      function (deeper) {
        if (deeper) depth++;
      },
      function () {
        if (--depth < 0) fits = false;
      }
    );
    return fits && !depth;
  };
  // What is open where the rest of a text begins, from the innermost outwards: where in the rest it ends, and how many elements come in it before.
  var levels = function (rest) {
    var level = { follow: 0 }, all = [level], depth = 0;
    tags(
      rest,
      function (deeper) {
        if (!depth) level.follow++;
        if (deeper) depth++;
      },
      function (at) {
        if (depth) return depth--;
        level.end = at;
        all.push((level = { follow: 0 }));
      }
    );
    level.end = rest.length;
    return all;
  };
  // Where the innermost begins that is open at a place.
  var begin = function (html, at) {
    for (var depth = 0; at > 0; ) {
      at = html.lastIndexOf("<", at - 1);
      if (html[at + 1] === "/") depth++;
      else if (at >= 0 && !single.test(html.slice(at, at + 8)) && !depth--) return at;
    }
    return -1;
  };
  var fragment = function (html) {
    var made = doc.createElement("template");
    made.innerHTML = html;
    return made.content;
  };
  var goOn = function (place, was, now) {
    var at = 0, most = Math.min(was.length, now.length);
    while (at < most && was.slice(at, at + 1024) === now.slice(at, at + 1024)) at = Math.min(most, at + 1024);
    while (at < most && was.charCodeAt(at) === now.charCodeAt(at)) at++;
    // Not within a tag, a character's name or a character.
    var tag = at && was.lastIndexOf("<", at - 1);
    if (tag > (at && was.lastIndexOf(">", at - 1))) at = tag;
    at -= /(&[#\w]*|[\ud800-\udbff])?$/.exec(was.slice(Math.max(0, at - 40), at))[0].length;
    var rest = was.slice(at), all = levels(rest), open = place;
    for (var level = all.length - 1; level >= 0; level--) {
      all[level].node = open;
      open = level && open && open.children[open.children.length - 1 - all[level].follow];
    }
    for (level = 0; level < all.length && at >= 0; at = begin(was, at), level++) {
      var node = all[level].node, end = rest.slice(all[level].end), more = now.slice(at, now.length - end.length);
      if (!(node instanceof HTMLElement) || (!level && all[0].end)) continue;
      if (at + end.length > now.length || !now.endsWith(end) || !whole(more)) continue;
      var made = fragment(more);
      if (level) grow(node, made, all[level - 1].node);
      else {
        var first = made.firstChild, last = node.lastChild;
        if (first && last && first.nodeType === 3 && last.nodeType === 3) {
          last.appendData(first.data);
          first.remove();
        }
        node.append(made);
      }
      return true;
    }
    return false;
  };
  window.grow = function (place, html) {
    var was = place.grown;
    place.grown = html;
    if (was === undefined || !goOn(place, was, html)) grow(place, fragment(html), place.firstChild);
  };

  var sheet = function () {
    var keys = aid("dialog.keys");
    if (keys && !keys.open) keys.showModal();
  };

  // When something was, in the reader's own time.
  var clocks = function (details) {
    details.querySelectorAll("time[data-at]").forEach(function (time) {
      var at = new Date(Number(time.dataset.at));
      time.dateTime = at.toISOString();
      time.textContent = at.toLocaleString(doc.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
    });
  };

  var ask = function (path, body) {
    return fetch(path, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded", "X-Asked-By": "page" },
      body: body || "",
    });
  };
  var remark = function (name) {
    var note = aid("[data-aid=" + name + "]");
    if (!note) return;
    note.hidden = false;
    setTimeout(function () {
      note.remove();
    }, 6000);
  };
  var failed = function () {
    remark("failed");
  };
  // A place in the line has taken time, and whoever gives it up begins at its end again: one slip of a finger does not. The button says `stop` once
  // an answer is on its way.
  var leave = function (button) {
    var asked = doc.body.querySelector("[data-aid=leave]");
    if (button.dataset.testid !== "stop" && !asked) return remark("leave");
    if (asked) asked.remove();
    button.click();
  };
  // What asks the server for something that the feed then shows, or leads to a page of its own.
  var post = function (button) {
    if (button.dataset.asked) return;
    button.dataset.asked = "yes";
    // What asked for leave goes, and the keyboard stays where it was.
    var step = within(button, ".step");
    if (step) step.querySelector("summary").focus();
    ask(button.dataset.post)
      .then(function (answer) {
        if (!answer.ok) throw answer.status;
        return answer.status === 200 ? answer.json() : null;
      })
      .then(
        function (made) {
          delete button.dataset.asked;
          if (made && made.conversation) location.assign("/c/" + made.conversation);
        },
        function () {
          delete button.dataset.asked;
          failed();
        }
      );
  };

  doc.addEventListener("click", function (event) {
    var button = within(event.target, "button, a");
    if (!button) return;
    var data = button.dataset;
    if (data.tool && tools[data.tool]) tools[data.tool](button, within(button, ".code"));
    else if (data.note || data.noteBack) note(button);
    else if (data.post === "#prompts") more("prompts");
    else if (data.post === "#attach") attach(button);
    else if (data.post === "#several") more("several", button);
    else if (data.post) post(button);
    else if (button.matches(".quote-button")) quote();
    else if (button.matches("[data-keys]")) sheet();
    else if (button.matches(".found")) more("find", button);
  });

  doc.addEventListener("keydown", function (event) {
    var target = event.target, key = event.key;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "p" && doc.querySelector(".log .rest")) {
      event.preventDefault();
      more("printWhole", byId("log"));
    }
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (doc.querySelector("dialog[open]")) return;
    if (key === "Escape") {
      if (doc.querySelector(":popover-open") || within(target, ".editor, .sidebar")) return;
      var stop = doc.querySelector(".composer .stop");
      if (selected()) getSelection().removeAllRanges();
      else if (stop && !event.repeat) leave(stop);
    } else if (key === "ArrowUp" && target.id === "message" && !target.value) {
      var edits = doc.querySelectorAll(".message-edit");
      if (edits.length) {
        event.preventDefault();
        edits[edits.length - 1].click();
      }
    } else if ((key === "ArrowDown" || key === "ArrowUp") && within(target, ".search, [data-testid=found]")) {
      var stops = [doc.querySelector(".search input")].concat(Array.from(doc.querySelectorAll(".found")));
      var next = stops[stops.indexOf(target) + (key === "ArrowDown" ? 1 : -1)];
      if (next) {
        event.preventDefault();
        next.focus();
      }
    } else if (key === "Enter" && target.matches(".search input")) {
      var first = doc.querySelector(".found");
      if (first) first.click();
    } else if (key === "?" && !typing(target)) {
      event.preventDefault();
      sheet();
    } else if (key === ">" && !typing(target) && quote()) event.preventDefault();
  });

  // What is read is kept for when there is no connection: that can wait until the page has all that it needs itself.
  if (navigator.serviceWorker)
    addEventListener("load", function () {
      import("/keep.js").catch(function () {});
    });

  var settle = 0;
  doc.addEventListener("selectionchange", function () {
    clearTimeout(settle);
    settle = setTimeout(offer, 200);
  });
  doc.addEventListener("scroll", hide, true);
  doc.addEventListener(
    "toggle",
    function (event) {
      var unfolded = event.target;
      if (within(unfolded, ".turn-more")) clocks(unfolded);
      else if (unfolded.open && unfolded.matches(".tool-source"))
        from("/sources.js", "load", unfolded, function () {
          unfolded.open = false;
        });
    },
    true
  );
  addEventListener("beforeprint", function () {
    doc.querySelectorAll(".log details:not([open])").forEach(function (details) {
      details.open = true;
      details.dataset.printed = "";
    });
  });
  addEventListener("afterprint", function () {
    doc.querySelectorAll("[data-printed]").forEach(function (details) {
      details.open = false;
      delete details.dataset.printed;
    });
  });
})();
