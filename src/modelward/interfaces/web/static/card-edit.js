/* The form of a card: tells of unsaved changes before the page is left, and marks fields that the server found wrong. */
(function () {
  "use strict";
  const form = document.querySelector("form[data-edit]");
  if (!form) return;
  const note = form.querySelector("[data-unsaved-note]");
  let unsaved = form.hasAttribute("data-unsaved");

  function tell() { if (note) note.textContent = unsaved ? "You have unsaved changes." : ""; }
  function change(event) {
    if (event.target.name === "form_token") return;
    if (!unsaved) { unsaved = true; tell(); }
  }

  form.addEventListener("input", change);
  form.addEventListener("change", change);
  document.addEventListener("submit", (event) => { if (event.target === form || event.target.id === "remove") unsaved = false; });
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
  // The back button may show this page as it was left, with what was typed.
  addEventListener("pageshow", tell);

  document.addEventListener("htmx:after:swap", (event) => {
    const source = event.target;
    if (!(source instanceof Element)) return;
    if (source.matches("[data-checked]")) {
      const told = document.getElementById("p-" + source.id);
      if (told && told.querySelector("[data-fault]")) source.setAttribute("aria-invalid", "true");
      else source.removeAttribute("aria-invalid");
    }
  });
  // A row more or less is a change too. Its button is gone after the swap, so the click counts.
  form.addEventListener("click", (event) => {
    if (event.target.closest("button[name=do]")) { unsaved = true; tell(); }
  });

  const refused = document.getElementById("refused");
  if (refused) refused.focus();
})();
