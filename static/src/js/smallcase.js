/* Opens smallcase's window for one prepared order, and goes back to the order's page. What the window answers decides
   nothing: the server only hears that it has ended, and asks smallcase itself. */
const place = document.getElementById("smallcase");
const { gateway, token, transaction, brokers, back, order } = place.dataset;
const button = place.querySelector("[data-start]");
const says = place.querySelector("[data-says]");

async function ended(code) {
  says.textContent = "Asking your broker …";
  const body = new URLSearchParams({ code, csrfmiddlewaretoken: place.querySelector("[name=csrfmiddlewaretoken]").value });
  try {
    await fetch(back, { method: "POST", body, redirect: "error" });
  } finally {
    window.location.assign(order);
  }
}

async function start() {
  if (!window.scDK) return ended("blocked");
  button.disabled = true;
  const kit = new window.scDK({ gateway, smallcaseAuthToken: token, config: { amo: true } });
  try {
    await kit.triggerTransaction({ transactionId: transaction, brokers: brokers ? [brokers] : [] });
    await ended("");
  } catch (error) {
    await ended(String(error?.message || "internal_error").slice(0, 60));
  }
}

button.addEventListener("click", start);
