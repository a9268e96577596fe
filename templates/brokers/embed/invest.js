/* <script src="…/embed/invest.js" data-token="…" async></script>: the Invest button, in a frame beside this tag. */
(() => {
  "use strict";
  for (const tag of document.querySelectorAll("script[src$='/embed/invest.js'][data-token]")) {
    if (tag.dataset.shown !== undefined) continue;
    tag.dataset.shown = "";
    const frame = document.createElement("iframe");
    frame.src = `${new URL(tag.src).origin}/embed/invest/?token=${encodeURIComponent(tag.dataset.token)}`;
    frame.title = tag.dataset.title || "Invest in a basket of shares";
    frame.width = tag.dataset.width || "340";
    frame.height = tag.dataset.height || "390";
    frame.loading = "lazy";
    frame.setAttribute("frameborder", "0");
    /* No script runs in it; its links open windows of their own. */
    frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
    tag.after(frame);
  }
})();
