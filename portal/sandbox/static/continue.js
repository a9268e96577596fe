// Sends the browser back to the shop after a moment; without script the button does the same.
const form = document.querySelector("form[data-continue]");
if (form) setTimeout(() => form.submit(), 1000);
