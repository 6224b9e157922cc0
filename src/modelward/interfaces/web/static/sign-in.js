/* A link such as /sign-in#token=... signs in: what follows the # never reaches a server or its log. */
(function () {
  "use strict";
  function take() {
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    const form = document.querySelector("form[data-sign-in]");
    if (!given || !form) return;
    history.replaceState(null, "", location.pathname + location.search);
    form.elements.token.value = given;
    form.requestSubmit();
  }
  take();
  addEventListener("hashchange", take);
})();
