// Looks the progress of a campaign up while it is sending and the page is visible.
// Without scripts the page tells the same after a reload.
"use strict";

(() => {
  const box = document.getElementById("progress");
  if (!box || box.dataset.running !== "1") {
    return;
  }
  const EVERY = 5000;
  const part = (name) => box.querySelector(`[data-${name}]`);
  let quarter = Math.floor(Number(box.dataset.percent) / 25);
  let timer = 0;
  let over = false;

  function announce(found) {
    const reached = Math.floor(found.percent / 25);
    if (reached > quarter) {
      quarter = reached;
      part("said").textContent = found.said;
    }
  }

  function end(name) {
    over = true;
    part(name).hidden = false;
  }

  async function look() {
    try {
      const answer = await fetch(box.dataset.poll, {
        headers: { Accept: "application/json" },
        credentials: "same-origin",
        redirect: "error",
      });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      const found = await answer.json();
      part("body").innerHTML = found.html;
      announce(found);
      if (!found.running) {
        end("ended");
      }
    } catch {
      end("failed");
    }
    wait();
  }

  function wait() {
    window.clearTimeout(timer);
    if (!over && document.visibilityState === "visible") {
      timer = window.setTimeout(look, EVERY);
    }
  }

  document.addEventListener("visibilitychange", wait);
  wait();
})();
