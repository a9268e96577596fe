// Behaviours that hang on attributes, by one listener each, so that swapped-in fragments have them too.

const typing = (node) => node.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName);

// "/" puts the cursor into the search field.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const field = document.querySelector("[data-search]");
  if (!field || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// data-opens="id" opens a <dialog>, data-closes closes the one around it. The browser traps and returns the focus.
// A click on the backdrop closes it as well.
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog?.showModal) {
    event.preventDefault();
    dialog.showModal();
  } else if (event.target.closest?.("[data-closes]")) {
    event.preventDefault();
    event.target.closest("dialog")?.close();
  } else if (event.target.matches?.("dialog.dialog[open]") && outside(event)) {
    event.target.close();
  }
});

function outside({ target, clientX, clientY }) {
  const box = target.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

// A form is sent once: a second press within ten seconds does nothing. The server refuses a second order by itself
// (client reference); this only keeps people from wondering. Forms that htmx sends are left to htmx.
const SENT_FOR_MS = 10000;
const ours = (form) => form.method !== "get" && ![...form.attributes].some(({ name }) => /^(data-)?hx-(post|get|put|patch|delete)/.test(name));
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !ours(form)) return;
  if (form.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(unlock, SENT_FOR_MS);
});
function unlock() {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
}
addEventListener("pageshow", unlock);

// A form with data-guarded that was changed and not sent: the browser asks before the page is left.
const changed = new WeakSet();
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.dataset.guarded !== undefined) changed.add(form);
});
addEventListener("beforeunload", (event) => {
  const forms = [...document.querySelectorAll("form[data-guarded]")];
  if (forms.some((form) => changed.has(form) && form.dataset.sent === undefined)) event.preventDefault();
});

// Status changes are read out: a fragment with data-say="…" speaks once when that text is new.
let said = "";
const say = (root) => {
  const text = root.querySelector?.("[data-say]")?.dataset.say || root.dataset?.say || "";
  const region = document.getElementById("live");
  if (!region || !text || text === said) return;
  said = text;
  region.textContent = text;
};
said = document.querySelector("[data-say]")?.dataset.say || "";
document.addEventListener("htmx:after:swap", () => say(document));

// A page in a background tab does not ask for news; it asks once when it is looked at again.
document.addEventListener("htmx:before:request", (event) => {
  const source = event.detail?.ctx?.sourceElement;
  if (document.hidden && source?.matches?.("[data-refreshes]")) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const node of document.querySelectorAll("[data-refreshes]")) window.htmx?.trigger(node, "refresh");
});

// The summary of errors takes the focus, so that it is read first.
document.querySelector("[data-error-summary]")?.focus();

// An answer that is no fragment is not put into the page: a redirect (signed out meanwhile, or a finished form) moves the
// whole page, an error page becomes one calm line, and the old content stays.
const UNREADABLE = new Set([403, 404, 429]);
document.addEventListener("htmx:before:response", (event) => {
  const { request, response } = event.detail.ctx;
  if (response.raw.redirected) {
    event.preventDefault();
    if (request.method === "GET") location.reload();
    else location.assign(response.raw.url);
  } else if (response.status >= 500 || UNREADABLE.has(response.status)) {
    event.preventDefault();
    trouble("This part of the page could not be refreshed. What you see may be out of date.");
  }
});
document.addEventListener("htmx:error", () => trouble("No connection. This page will try again."));
document.addEventListener("htmx:after:swap", () => trouble(""));

function trouble(text) {
  const line = document.getElementById("trouble");
  if (!line) return;
  line.querySelector("[data-text]").textContent = text;
  line.hidden = !text;
}

// data-fills="name" puts data-value into the field of that name in the same form, as if it had been typed.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-fills]");
  const field = button?.closest("form")?.elements.namedItem(button.dataset.fills);
  if (!field) return;
  field.value = button.dataset.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
