// A guest's page follows what it shows. Each event has elements by their ids, whole: what is there is replaced, what is not is a new turn.
(function () {
  "use strict";
  var root = document.documentElement;
  try {
    var theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch (e) {}
  var state = document.getElementById("along-state");
  if (!state || !window.EventSource) return;

  function say(text) {
    state.hidden = !text;
    // What is said again is not read out again.
    if (state.textContent !== text) state.textContent = text;
  }

  function follow() {
    var source = new EventSource(location.pathname.replace(/\/$/, "") + "/feed");
    source.onopen = function () { say(""); };
    source.onmessage = function (event) {
      JSON.parse(event.data).forEach(function (piece) {
        var there = document.getElementById(piece[0]);
        if (there && there.outerHTML === piece[1]) return;
        if (there) there.outerHTML = piece[1];
        else document.getElementById("along-turns").insertAdjacentHTML("beforeend", piece[1]);
      });
      root.dataset.followed = "";
    };
    source.addEventListener("end", function (event) {
      source.close();
      delete root.dataset.followed;
      // Nothing of the conversation stays in sight.
      document.querySelectorAll("#along-title, #along-line, #along-turns").forEach(function (piece) { piece.remove(); });
      say(event.data);
    });
    source.onerror = function () {
      say(state.dataset.lost);
      // A browser that was refused does not try again by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 5000);
    };
  }
  follow();
})();
