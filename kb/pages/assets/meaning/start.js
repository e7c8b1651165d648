/* A switch in the search dialog. All that it stands for is fetched when somebody turns it on. */
(() => {
  "use strict";

  const here = document.currentScript.src;
  const megabytes = new URL(here).searchParams.get("mb");
  const dialog = document.querySelector("[data-md-component=search]");
  const place = dialog?.querySelector(".md-search__scrollwrap");
  const input = dialog?.querySelector("[data-md-component=search-query]");
  const toggle = document.getElementById("__search");
  if (!place || !input || !toggle) return;

  /* Whoever turned it on keeps it on from page to page, until the tab is closed. */
  const memory = {
    get: () => { try { return sessionStorage.getItem("kb-meaning") === "on"; } catch { return false; } },
    set: (on) => { try { sessionStorage.setItem("kb-meaning", on ? "on" : "off"); } catch { /* a private window */ } },
  };

  const button = document.createElement("button");
  button.type = "button";
  button.className = "kb-meaning-switch";
  button.setAttribute("role", "switch");
  button.append("Search by meaning");
  const price = document.createElement("small");
  price.textContent = megabytes ? ` fetches ${megabytes} MB the first time` : "";
  button.append(price);
  place.prepend(button);

  let panel = null;
  const turn = (on) => {
    button.setAttribute("aria-checked", String(on));
    place.classList.toggle("kb-meaning-on", on);
    memory.set(on);
    if (!on) return;
    panel ??= import(new URL("panel.js", here).href).then(({ Panel }) => new Panel({ here, dialog, place, input, toggle, button }));
    panel.catch(() => {
      panel = null;
      turn(false);
      price.textContent = " could not be fetched: is there a network?";
    });
  };
  button.addEventListener("click", () => turn(button.getAttribute("aria-checked") !== "true"));
  button.setAttribute("aria-checked", "false");
  if (memory.get()) {
    const wake = () => (button.getAttribute("aria-checked") === "true" ? undefined : turn(true));
    input.addEventListener("focus", wake, { once: true });
    toggle.addEventListener("change", wake, { once: true });
  }

  /* The theme closes the dialog at Tab and takes every key for the input's. The switch and what stands
     below it are reached by Tab, so those keys are kept from it; leaving the dialog closes it. */
  dialog.addEventListener("keydown", (event) => {
    const ours = toggle.checked && event.target !== input && event.key !== "Escape" && place.contains(event.target);
    if (event.key === "Tab" || (ours && !event.key.startsWith("Arrow"))) event.stopPropagation();
  }, true);
  /* Closed by Escape, it lets go of the keys, which are the page's again. */
  toggle.addEventListener("change", () => {
    if (!toggle.checked && place.contains(document.activeElement)) document.activeElement.blur();
  });
  dialog.addEventListener("focusout", ({ relatedTarget }) => {
    if (toggle.checked && relatedTarget && !dialog.contains(relatedTarget) && relatedTarget !== toggle) toggle.click();
  });
})();
