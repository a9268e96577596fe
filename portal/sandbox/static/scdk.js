/* The sandbox's stand-in for the gateway's browser SDK: the same global, constructor and promises. It draws a dialog
   of its own around a frame of the sandbox's pages; the site needs to allow this origin as a script and as a frame. */
(() => {
  "use strict";

  const FRAME = new URL("../../sdk/frame", document.currentScript.src);
  const STYLE = `
    .scdk { width: min(100vw, 27rem); max-width: 100vw; height: min(100dvh, 42rem); max-height: 100dvh; padding: 0;
      margin: auto; border: 2px solid #4a2d7a; border-radius: 12px; background: #f5effc; overflow: hidden; }
    .scdk[open] { display: flex; flex-direction: column; }
    .scdk::backdrop { background: rgb(20 10 40 / .6); }
    .scdk-head { display: flex; justify-content: space-between; align-items: center; gap: .5rem; padding: .4rem .8rem;
      background: #4a2d7a; color: #fff; font: 1rem/1.4 Georgia, serif; }
    .scdk-head h2 { margin: 0; font: inherit; font-weight: bold; }
    .scdk-head button { min-height: 2.75rem; padding: 0 .9rem; border: 1px solid #fff; border-radius: 6px;
      background: none; color: #fff; font: inherit; cursor: pointer; }
    .scdk-head button:focus-visible { outline: 3px solid #ffd166; outline-offset: 2px; }
    .scdk iframe { flex: 1; width: 100%; border: 0; }
    @media (max-width: 30rem) { .scdk { height: 100dvh; border-radius: 0; } }`;
  const PATIENCE_MS = 15000;
  let styled = false;
  let busy = false;

  function style() {
    if (styled) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    styled = true;
  }

  function make(name, properties, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  function failure(message, code, transactionId) {
    return Object.assign(new Error(message), { code, success: false, transactionId });
  }

  /* Opens the dialog and resolves or rejects with what its pages hand back. */
  function journey(fields) {
    style();
    return new Promise((resolve, reject) => {
      const title = make("h2", { id: "scdk-title", textContent: "smallcase gateway (sandbox)" });
      const close = make("button", { type: "button", textContent: "Close" });
      const frame = make("iframe", { title: "Broker and order", src: FRAME.href });
      const dialog = make("dialog", { className: "scdk" }, make("div", { className: "scdk-head" }, title, close), frame);
      dialog.setAttribute("aria-labelledby", title.id);
      let ready = false;

      const say = (message) => frame.contentWindow.postMessage(message, FRAME.origin);
      const end = (finish, value) => {
        window.removeEventListener("message", hear);
        clearTimeout(timer);
        if (dialog.open) dialog.close();
        dialog.remove();
        busy = false;
        finish(value);
      };
      const leave = () => {
        if (ready) say({ scdk: "leave" });
        else end(reject, failure("user_cancelled", 1010, fields.transactionId));
      };
      const hear = (event) => {
        if (event.origin !== FRAME.origin || event.source !== frame.contentWindow) return;
        const { scdk, value } = event.data || {};
        if (scdk === "ready") {
          ready = true;
          clearTimeout(timer);
          say({ scdk: "start", fields });
        } else if (scdk === "resolve") {
          end(resolve, value);
        } else if (scdk === "reject") {
          end(reject, failure(value.message, value.code, value.transactionId));
        }
      };
      const timer = setTimeout(() => end(reject, failure("internal_error", null, fields.transactionId)), PATIENCE_MS);

      close.addEventListener("click", leave);
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        leave();
      });
      window.addEventListener("message", hear);
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  class scDK {
    constructor(options = {}) {
      this.options = { config: {}, ...options };
    }

    init(options = {}) {
      this.options = { ...this.options, ...options };
      return Promise.resolve({ success: true });
    }

    triggerTransaction({ transactionId, brokers = [] } = {}) {
      if (!transactionId) return Promise.reject(failure("invalid_transactionId", null, transactionId));
      if (busy) return Promise.reject(failure("transaction_in_process", null, transactionId));
      busy = true;
      const { gateway, smallcaseAuthToken, config } = this.options;
      return journey({
        gateway: gateway || "",
        token: smallcaseAuthToken || "",
        transactionId,
        amo: String(Boolean(config && config.amo)),
        brokers: brokers.join(","),
      });
    }

    brokerLogout() {
      return Promise.resolve({ success: true });
    }

    markArchived() {
      return Promise.resolve({ success: true });
    }
  }

  window.scDK = scDK;
})();
