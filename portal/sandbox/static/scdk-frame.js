/* Inside the dialog: passes the site's arguments to the first page and the outcome back to the site. */
(() => {
  "use strict";
  const start = document.getElementById("start");
  const outcome = document.getElementById("outcome");
  const leave = document.getElementById("leave");

  if (outcome) {
    const { origin, kind, value } = outcome.dataset;
    if (origin) window.parent.postMessage({ scdk: kind, value: JSON.parse(value) }, origin);
  }
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent) return;
    const { scdk, fields } = event.data || {};
    if (scdk === "leave") {
      if (leave) leave.submit();
      else if (start) window.parent.postMessage({ scdk: "reject", value: { message: "user_cancelled", code: 1010 } }, event.origin);
    } else if (scdk === "start" && start) {
      for (const [name, value] of Object.entries(fields)) {
        if (start.elements[name]) start.elements[name].value = value;
      }
      start.elements.origin.value = event.origin;
      start.submit();
    }
  });
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && leave) leave.submit();
  });
  if (start) window.parent.postMessage({ scdk: "ready" }, "*");
})();
